// The spec as the form that a person fills in: Airbyte's hints become those of rjsf.
import Form from "@rjsf/core";
import validator from "@rjsf/validator-ajv8";
import { createRoot } from "react-dom/client";

const byOrder = ([, a], [, b]) => a.order - b.order;

function hints(schema) {
  const fields = Object.entries(schema.properties ?? {}).sort(byOrder);
  const found = { "ui:order": [...fields.map(([name]) => name), "*"] };
  for (const [name, field] of fields) {
    found[name] = hints(field);
    if (field.airbyte_secret) found[name]["ui:widget"] = "password";
    if (field.airbyte_hidden || "const" in field) found[name]["ui:widget"] = "hidden";
    const example = field.examples?.[0];
    if (example && typeof example !== "object") found[name]["ui:placeholder"] = String(example);
  }
  if (schema.oneOf) found.oneOf = schema.oneOf.map(hints);
  if (schema.items) found.items = hints(schema.items);
  return found;
}

// As the platform shows groups: what has to be filled in, and the rest folded away.
function Groups({ properties, schema, title }) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {schema.groups.map((group) => {
        const fields = properties.filter(({ name, hidden }) => !hidden && schema.properties[name].group === group.id);
        const isShown = ({ name }) => schema.required.includes(name) || schema.properties[name].always_show;
        const folded = fields.filter((field) => !isShown(field));
        return (
          <section key={group.id}>
            <h2>{group.title}</h2>
            {fields.filter(isShown).map(({ content }) => content)}
            {folded.length > 0 && (
              <details>
                <summary>
                  <b>Optional fields</b> {folded.map(({ name }) => schema.properties[name].title).join(", ")}
                </summary>
                {folded.map(({ content }) => content)}
              </details>
            )}
          </section>
        );
      })}
    </fieldset>
  );
}

// Keys of one's own are accepted by the connector, but not asked for by the form.
const closed = JSON.stringify(window.spec, (key, value) =>
  key === "additionalProperties" ? undefined : value,
);
const schema = { ...JSON.parse(closed), title: "Mixpanel" };
delete schema.$schema;
const asked = { ...hints(schema), "ui:ObjectFieldTemplate": Groups };
createRoot(document.getElementById("form")).render(
  <Form schema={schema} uiSchema={asked} validator={validator} noHtml5Validate>
    <button type="submit">Set up source</button>
  </Form>,
);
