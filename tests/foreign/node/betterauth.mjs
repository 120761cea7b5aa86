// A SCIM service provider made of better-auth and its SCIM plugin, everything in memory.
//   node betterauth.mjs PORT MODULES     MODULES: the folder whose node_modules has the packages
// Takes the bearer token of $SCIM_TOKEN (at least 32 characters); answers under /api/auth/scim/v2.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join, resolve } from "node:path";
import { argv, env } from "node:process";
import { pathToFileURL } from "node:url";

const [port, modules] = [Number(argv[2]), resolve(argv[3], "node_modules")];

// These packages are ES modules only, and this file lies elsewhere: the entry is looked up in their own package.json.
async function load(name, entry = ".") {
  const folder = join(modules, name);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  let file = about.exports?.[entry];
  while (file && typeof file === "object") file = file.import ?? file.default;
  const path = join(folder, file ?? about.module ?? about.main);
  if (!existsSync(path)) throw new Error(`${name} has no ${entry}`);
  return import(pathToFileURL(path).href);
}

const { betterAuth } = await load("better-auth");
const { toNodeHandler } = await load("better-auth", "./node");
const { memoryAdapter } = await load("@better-auth/memory-adapter");
const { scim } = await load("@better-auth/scim");

const plugin = scim({
  connections: [{ id: "people", credentials: [{ type: "bearer", id: "reconciler", token: env.SCIM_TOKEN }] }],
});
const tables = ["user", "session", "account", "verification", "rateLimit", ...Object.keys(plugin.schema ?? {})];
const auth = betterAuth({
  secret: "only-for-a-server-that-lives-for-one-test",
  baseURL: `http://127.0.0.1:${port}`,
  basePath: "/api/auth",
  database: memoryAdapter(Object.fromEntries(tables.map((name) => [name, []]))),
  emailAndPassword: { enabled: false },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [plugin],
});
createServer(toNodeHandler(auth)).listen(port, "127.0.0.1", () => console.log("listening"));
