// node check.mjs asyncapi.json: prints what the parser of the AsyncAPI project has to say; ends with 1 on an error.
import { Parser, fromFile } from "@asyncapi/parser";

const { diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
for (const { severity, path, message } of diagnostics) {
  console.log(`${severity} ${path.join("/")}: ${message}`);
}
process.exit(diagnostics.some(({ severity }) => severity === 0) ? 1 : 0);
