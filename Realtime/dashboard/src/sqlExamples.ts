export interface Example {
  readonly title: string;
  readonly sql: string;
}

/** Statements to begin with. Namespaces are letters, digits, '-', '_' and '.', so that they need no escape. */
export function examplesFor(namespace: string): readonly Example[] {
  return [
    { title: 'Heaviest counters', sql: `SELECT name, value\nFROM totals\nWHERE namespace = '${namespace}'\nORDER BY value DESC\nLIMIT 12` },
    { title: 'Increments by the hour', sql: `SELECT hour, sum(value) AS increments\nFROM hourly_rows\nWHERE namespace = '${namespace}' AND hour >= now() - INTERVAL 30 DAY\nGROUP BY hour\nORDER BY hour` },
    { title: 'The last ten minutes', sql: `SELECT time, sum(delta) AS increments\nFROM deltas\nWHERE namespace = '${namespace}' AND time >= now() - INTERVAL 10 MINUTE\nGROUP BY time\nORDER BY time` },
    { title: 'Different elements', sql: `SELECT name, value, exact\nFROM distincts\nWHERE namespace = '${namespace}'\nORDER BY value DESC` },
    { title: 'Largest items', sql: `SELECT name, item, value\nFROM items\nWHERE namespace = '${namespace}'\nORDER BY value DESC\nLIMIT 20` },
    { title: 'Sums by label', sql: `SELECT label, labels[label] AS text, sum(value) AS total\nFROM totals\nINNER JOIN counters USING (namespace, id)\nARRAY JOIN mapKeys(labels) AS label\nWHERE namespace = '${namespace}'\nGROUP BY label, text\nORDER BY total DESC` },
    { title: 'Checkpoints', sql: `SELECT last_time, increments, counters\nFROM checkpoints\nORDER BY last_time DESC\nLIMIT 50` },
    { title: 'Tables', sql: `SELECT table, groupArray(name) AS columns\nFROM system.columns\nWHERE database = 'sketch'\nGROUP BY table\nORDER BY table` },
  ];
}
