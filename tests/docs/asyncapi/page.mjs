// node page.mjs asyncapi.json asyncapi.md: the document as a page, by the Markdown template of the AsyncAPI project.
// Its generator does no more than this with a template, and needs a newer Node and four times the packages.
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { renderTemplate, transpileFiles } from "@asyncapi/generator-react-sdk";
import { Parser, fromFile } from "@asyncapi/parser";

const [from, to] = process.argv.slice(2);
const folder = dirname(createRequire(import.meta.url).resolve("@asyncapi/markdown-template/package.json"));
const transpiled = join(folder, "__transpiled");
await transpileFiles(join(folder, "template"), transpiled, { recursive: true });
const { document } = await fromFile(new Parser(), from).parse();
const { content } = await renderTemplate(join(transpiled, "asyncapi.js"), { asyncapi: document, params: {} });
const page = content.replace(/[ \t]+$/gm, "").trimEnd();
await writeFile(to, `<!-- make docs writes this page from asyncapi.json -->\n\n${page}\n`);
