/** Knex writes warnings to the console, which belongs to the JSON log. What matters of them comes as an error anyway. */
export const silentLog = {
  warn: ignore,
  error: ignore,
  deprecate: ignore,
  debug: ignore,
};

function ignore(): void {
  // Nothing is said.
}
