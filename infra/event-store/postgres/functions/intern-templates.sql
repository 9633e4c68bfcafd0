-- The ids of the templates, in the order asked; those that were not known are made.
SET LOCAL ROLE bioledger_owner;
CREATE OR REPLACE FUNCTION event_store.intern_templates(contents text[]) RETURNS integer[]
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = event_store, pg_temp
AS $function$
BEGIN
  INSERT INTO template (content)
  SELECT wanted.content FROM unnest(contents) AS wanted (content)
  WHERE NOT EXISTS (SELECT FROM template WHERE template.content = wanted.content)
  ORDER BY wanted.content
  ON CONFLICT DO NOTHING;
  RETURN (
    SELECT array_agg(template.template_id ORDER BY wanted.place)
    FROM unnest(contents) WITH ORDINALITY AS wanted (content, place)
    JOIN template ON template.content = wanted.content
  );
END
$function$;
RESET ROLE;
