// A SCIM service provider made of SCIMMY and express, everything in memory: parsing, filters, PATCH, sorting and paging
// are SCIMMY's and its routers', this file only keeps the resources.
//   node scimmy.mjs PORT MODULES     MODULES: the folder whose node_modules has the packages
// Takes the bearer token of $SCIM_TOKEN; answers under /scim/v2.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { argv, env } from "node:process";
import { pathToFileURL } from "node:url";

const port = Number(argv[2]);
const require = createRequire(resolve(argv[3], "package.json"));

async function load(name) {
  const loaded = await import(pathToFileURL(require.resolve(name)).href);
  return loaded.default?.default ?? loaded.default ?? loaded;
}

const [express, SCIMMY, Routers] = [await load("express"), await load("scimmy"), await load("scimmy-routers")];

// The three handlers of a resource type; `name` is the attribute that nobody else may have.
function keeping(name) {
  const kept = new Map();
  const found = (id) => {
    if (!kept.has(id)) throw new SCIMMY.Types.Error(404, null, `there is no resource ${id}`);
    return kept.get(id);
  };
  const taken = (id, wanted) =>
    [...kept.values()].some((each) => each.id !== id && each[name]?.toLowerCase() === wanted?.toLowerCase());
  return {
    ingress: (resource, given) => {
      const values = JSON.parse(JSON.stringify(given));
      const before = resource.id ? found(resource.id) : undefined;
      if (taken(before?.id, values[name])) throw new SCIMMY.Types.Error(409, "uniqueness", `${name} is in use`);
      const now = new Date().toISOString();
      const id = before?.id ?? randomUUID();
      kept.set(id, { ...values, id, meta: { created: before?.meta.created ?? now, lastModified: now } });
      return kept.get(id);
    },
    egress: (resource) => {
      if (resource.id) return found(resource.id);
      const all = [...kept.values()];
      return resource.filter ? resource.filter.match(all) : all;
    },
    degress: (resource) => {
      kept.delete(found(resource.id).id);
    },
  };
}

SCIMMY.Config.set({ patch: true, filter: 200, sort: true, bulk: true, etag: false, changePassword: true });
SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false), keeping("userName"));
SCIMMY.Resources.declare(SCIMMY.Resources.Group, keeping("displayName"));

const routers = new Routers({
  type: "bearer",
  baseUri: () => `http://127.0.0.1:${port}`,
  handler: (request) => {
    if (request.header("Authorization") !== `Bearer ${env.SCIM_TOKEN}`) throw new Error("not this token");
    return "reconciler";
  },
});
express().use("/scim/v2", routers).listen(port, "127.0.0.1", () => console.log("listening"));
