// A system that sends orders, as docs/integration.md describes it: publishes files and waits for the outcome of each.
//   AMQP_URL=… node bimp.mjs order.json …
// Prints a line of JSON for each event that it has not seen before, and ends when every request is final.
import { readFile } from "node:fs/promises";
import amqp from "amqplib";

const connection = await amqp.connect(process.env.AMQP_URL);
const channel = await connection.createConfirmChannel();

const returned = new Set();
channel.on("return", (message) => returned.add(message.properties.messageId));

const waiting = new Set();
const seen = new Set();
let finished;
const allFinal = new Promise((resolve) => { finished = resolve; });

async function publish(file) {
  const body = await readFile(file);
  const { id, source, data } = JSON.parse(body);
  waiting.add(`${source} ${id}`);
  const key = `order.ready_to_fiscalize.${data.integration}.${data.cashier}`;
  const options = {
    mandatory: true, persistent: true, contentType: "application/cloudevents+json", messageId: id,
  };
  await new Promise((resolve, reject) => {
    channel.publish("bimp.orders", key, body, options, (refused) => (refused ? reject(refused) : resolve()));
  });
  if (returned.has(id)) throw new Error(`no queue takes ${file}: publish it again later`);
}

function handle(message) {
  const event = JSON.parse(message.content);
  if (!seen.has(event.id)) {
    seen.add(event.id);
    const { requestSource, requestId, order, code, receiptMade, alreadyFiscalized, receipt } = event.data;
    const outcome = event.type.split(".").at(-2);
    console.log(JSON.stringify({
      outcome, requestId, docNumber: order.docNumber, code, receiptMade, alreadyFiscalized,
      fiscalCode: receipt?.fiscalCode, message: event.data.message.uk,
    }));
    if (outcome !== "delayed") waiting.delete(`${requestSource} ${requestId}`);
  }
  channel.ack(message); // after the outcome is stored
  if (waiting.size === 0) finished();
}

for (const file of process.argv.slice(2)) await publish(file);
await channel.prefetch(50);
await channel.consume("bimp.fiscal.events", handle);
await allFinal;
await channel.waitForConfirms();
await connection.close();
