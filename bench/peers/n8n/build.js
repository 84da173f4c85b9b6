// Two of n8n's packages ask for a version of a third that npm does not give them: each gets it as its own.
const { cpSync, existsSync } = require("node:fs");
const { join } = require("node:path");

const modules = join(__dirname, "node_modules");
const wanted = join("@opentelemetry", "core");
const source = join(modules, "@opentelemetry", "sdk-node", "node_modules", wanted);

for (const name of ["node-core", "opentelemetry"]) {
  const owner = join(modules, "@sentry", name);
  if (existsSync(owner)) cpSync(source, join(owner, "node_modules", wanted), { recursive: true });
}
require.resolve("n8n/package.json");
