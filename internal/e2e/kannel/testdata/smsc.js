// A carrier's SMPP message center for the tests.
//
//   node smsc.js PORT PASSWORD
//
// Prints events as lines of JSON, reads commands as lines of JSON from standard
// input, and exits at its end:
//   {"receipts": "DELIVRD" | "UNDELIV" | "REJECT" | "none"}  outcome of messages from now on
//   {"delay": 20}     milliseconds until a receipt
//   {"cut": true}     closes all connections and refuses new ones, until {"cut": false}
//   {"from": "…", "to": "…", "text": "…", "op": 1, "session": "0700"}  sends as a phone:
//   over the connection of "ussd" if there is an op, otherwise over another
'use strict';
const smpp = require('smpp');
const [port, password] = process.argv.slice(2);
const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n');
// Receipts are matched by message id, so ids are never reused.
let last = Date.now() * 1000;
let receipts = 'DELIVRD', delay = 20, cut = false;
const calls = new Set();
const bound = new Map(); // by the name that a caller binds with
const parts = new Map();

function whole(pdu) {
  const text = pdu.short_message.message;
  const udh = pdu.short_message.udh;
  if (!udh) return { text, parts: 1 };
  const [, , ref, total, number] = Buffer.concat(udh.map(Buffer.from)).subarray(-5);
  const key = pdu.destination_addr + ' ' + ref;
  const got = parts.get(key) || [];
  got[number - 1] = text;
  parts.set(key, got);
  if (got.filter((t) => t !== undefined).length < total) return null;
  parts.delete(key);
  return { text: got.join(''), parts: total };
}

function receipt(session, pdu, id, stat) {
  session.deliver_sm({
    source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, source_addr_ton: 1, source_addr_npi: 1, esm_class: 4,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2611221300 done date:2611221300 stat:${stat} err:000 text:`,
  });
}

const server = smpp.createServer({}, (session) => {
  if (cut) return session.destroy();
  calls.add(session);
  session.on('close', () => { calls.delete(session); for (const [name, s] of bound) if (s === session) bound.delete(name); });
  session.on('error', () => session.destroy());
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('bind_transceiver', (pdu) => {
    if (pdu.password !== password) {
      return session.send(pdu.response({ command_status: smpp.ESME_RBINDFAIL }));
    }
    bound.set(pdu.system_id, session);
    session.send(pdu.response({ system_id: 'center' }));
    tell({ event: 'bound', to: pdu.system_id });
  });
  session.on('submit_sm', (pdu) => {
    const id = String(++last), fate = receipts;
    const message = whole(pdu);
    if (message) {
      tell({
        event: 'message', link: [...bound].find(([, s]) => s === session)?.[0], to: pdu.destination_addr, from: pdu.source_addr, text: message.text, parts: message.parts, coding: pdu.data_coding,
        service: pdu.service_type, op: pdu.ussd_service_op,
        session: pdu.its_session_info && Buffer.from(pdu.its_session_info).toString('hex'),
      });
    }
    if (fate === 'REJECT') return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery && fate !== 'none') setTimeout(() => receipt(session, pdu, id, fate), delay);
  });
});
server.listen(Number(port), '127.0.0.1', () => tell({ event: 'listening' }));

function send(order) {
  const link = order.op === undefined ? [...bound].find(([name]) => name !== 'ussd')?.[1] : bound.get('ussd');
  if (!link) return tell({ event: 'unbound' });
  const pdu = {
    source_addr: order.from, source_addr_ton: 1, source_addr_npi: 1,
    destination_addr: order.to, dest_addr_ton: 0, dest_addr_npi: 1, short_message: order.text,
  };
  if (order.op !== undefined) {
    pdu.service_type = 'USSD';
    pdu.ussd_service_op = order.op;
    pdu.its_session_info = Buffer.from(order.session, 'hex');
  }
  link.deliver_sm(pdu, (answer) => tell({ event: 'taken', status: answer.command_status }));
}

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  if ('receipts' in order) receipts = order.receipts;
  if ('delay' in order) delay = order.delay;
  if ('cut' in order) {
    cut = order.cut;
    if (cut) for (const session of calls) session.destroy();
  }
  if ('text' in order) send(order);
  tell({ event: 'done' });
}).on('close', () => process.exit(0));
