// `node check.mjs FILE.json…`: custom resources against their types. Each file is a list of rendered documents.
// Values are checked by the packages' own schemas, which let unknown keys pass; these are found by TypeScript.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGES = {
  "external-secrets.io/v1": "@kubernetes-models/external-secrets/external-secrets.io/v1",
  "keda.sh/v1alpha1": "@kubernetes-models/keda/keda.sh/v1alpha1",
  "monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
};
const CORE = /^(v1|apps\/v1|batch\/v1|policy\/v1|networking\.k8s\.io\/v1)$/;
// No package has its type.
const UNTYPED = new Set(["rabbitmq.com/v1beta1 RabbitmqCluster"]);

const here = dirname(fileURLToPath(import.meta.url));
const source = [];
let checked = 0;
let failed = false;
for (const file of process.argv.slice(2)) {
  for (const document of JSON.parse(readFileSync(file, "utf8"))) {
    const { apiVersion, kind } = document;
    const name = `${apiVersion} ${kind}`;
    if (CORE.test(apiVersion)) continue;
    if (UNTYPED.has(name)) {
      console.log(`not checked: ${file}: ${name}`);
      continue;
    }
    const models = PACKAGES[apiVersion] && (await import(PACKAGES[apiVersion]));
    if (!models?.[kind]) {
      console.error(`${file}: no type for ${name}`);
      failed = true;
      continue;
    }
    try {
      new models[kind](document).validate();
    } catch (error) {
      console.error(`${file}: ${kind} ${document.metadata.name}: ${error.message}`);
      failed = true;
    }
    checked += 1;
    const literal = JSON.stringify(document, null, 2);
    source.push(`import type { I${kind} as T${checked} } from "${PACKAGES[apiVersion]}";`);
    source.push(`export const d${checked} = ${literal} satisfies T${checked};`);
  }
}
const folder = mkdtempSync(join(here, "checked-"));
try {
  const typescript = join(folder, "documents.ts");
  writeFileSync(typescript, source.join("\n"));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"];
  execFileSync(join(here, "node_modules/.bin/tsc"), [...options, typescript], { stdio: "inherit" });
} catch {
  failed = true;
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${checked} custom resources checked`);
process.exit(failed || checked === 0 ? 1 : 0);
