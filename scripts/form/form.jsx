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

// Keys of one's own are accepted by the connector, but not asked for by the form.
const closed = JSON.stringify(window.spec, (key, value) =>
  key === "additionalProperties" ? undefined : value,
);
const schema = { ...JSON.parse(closed), title: "Mixpanel" };
delete schema.$schema;
createRoot(document.getElementById("form")).render(
  <Form schema={schema} uiSchema={hints(schema)} validator={validator} noHtml5Validate>
    <button type="submit">Set up source</button>
  </Form>,
);
