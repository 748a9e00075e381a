import { readFileSync } from "node:fs";

// Read from the file: the packages' `exports` do not all give their package.json away.
export function versionOf(name) {
  const path = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")).version;
}
