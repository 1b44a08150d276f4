-- The id that every merged id stands for. Links between ids come from Mixpanel's own rewriting, from the events
-- of the original system ($identify, $create_alias, $merge), and from events of the simplified one that name
-- a device and a user. Of ids that are linked, the one counts that Mixpanel gave to what was read last.
WITH RECURSIVE told AS (
    SELECT
        *,
        coalesce(distinct_id_before_identity, distinct_id) AS first_id,
        coalesce(mp_processing_time_ms, extract(epoch FROM time) * 1000) AS processed
    FROM {{ ref('events') }}
),

merged (ids, place, processed) AS (
    SELECT CAST(distinct_ids AS json), 1, processed
    FROM told
    WHERE event = '$merge' AND json_array_length(CAST(distinct_ids AS json)) > 1
    UNION ALL
    SELECT ids, place + 1, processed
    FROM merged
    WHERE place + 1 < json_array_length(ids)
),

-- Without a time: Mixpanel says so. `is_once`: an id that has become another stays that.
links (id, other, processed, is_once) AS (
    SELECT distinct_id_before_identity, distinct_id, NULL, false FROM told
    UNION ALL
    SELECT anon_id, identified_id, processed, true FROM told WHERE event = '$identify'
    UNION ALL
    SELECT alias, first_id, processed, false FROM told WHERE event = '$create_alias'
    UNION ALL
    SELECT ids ->> place, ids ->> 0, processed, false FROM merged
    UNION ALL
    SELECT '$device:' || device_id, user_id, processed, true FROM told
),

ranked AS (
    SELECT *, row_number() OVER (PARTITION BY id, is_once ORDER BY processed, other) AS turn
    FROM links
    WHERE id <> other AND id <> '' AND other <> ''
),

effective AS (
    SELECT DISTINCT id, other FROM ranked WHERE turn = 1 OR NOT is_once
),

edges AS (
    SELECT id, other FROM effective
    UNION
    SELECT other, id FROM effective
),

reached (origin, id) AS (
    SELECT DISTINCT other, other FROM effective
    UNION
    SELECT reached.origin, edges.other
    FROM reached JOIN edges ON edges.id = reached.id
),

people AS (
    SELECT id, min(origin) AS person FROM reached GROUP BY id
),

named AS (
    SELECT DISTINCT ON (people.person) people.person, told.distinct_id
    FROM told JOIN people ON people.id = told.distinct_id
    ORDER BY people.person, told._airbyte_extracted_at DESC, told.processed DESC
)

SELECT people.id AS distinct_id, named.distinct_id AS resolved_distinct_id
FROM people JOIN named ON named.person = people.person
