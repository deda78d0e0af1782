// A Modbus TCP server made of modbus-serial: node modbus_serial_server.js --port N [--host H] [--size N]
//
// It serves the data map of libmodbus_server.c and obeys the same commands on stdin: set, count, silent,
// exception. It answers every unit. modbus-serial asks for bits one by one, so each counts as a request.
"use strict";
const readline = require("node:readline");
const { ServerTCP } = require("modbus-serial");

const options = { host: "127.0.0.1", port: "0", size: "300" };
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];
const size = Number(options.size);

const spaces = { coil: [], discrete: [], holding: [], input: [] };
for (let i = 0; i < size; ++i) {
  spaces.coil.push((7 * i + 3) % 5 < 2);
  spaces.discrete.push((3 * i + 1) % 4 === 0);
  spaces.holding.push((0x1000 + 0x0101 * i) & 0xffff);
  spaces.input.push(0xa5a5 ^ ((0x0203 * i) & 0xffff));
}

let requests = 0;
let silent = false;
let exception = 0;

// The whole answer at once, as modbus-serial asks for it, or a promise for each value that never settles:
// that is how this server keeps silent.
function serve(space, address, count) {
  ++requests;
  if (silent) return Array(count).fill(new Promise(() => {}));
  if (exception) throw { modbusErrorCode: exception };
  if (address + count > size) throw { modbusErrorCode: 2 };
  return spaces[space].slice(address, address + count);
}

async function store(space, address, value) {
  ++requests;
  if (silent) return new Promise(() => {});
  if (exception) throw { modbusErrorCode: exception };
  if (address >= size) throw { modbusErrorCode: 2 };
  spaces[space][address] = value;
}

const one = (space, address) => serve(space, address, 1)[0];
const server = new ServerTCP({
  getCoil: (address) => one("coil", address),
  getDiscreteInput: (address) => one("discrete", address),
  getMultipleHoldingRegisters: (address, count) => serve("holding", address, count),
  getHoldingRegister: (address) => one("holding", address),
  getMultipleInputRegisters: (address, count) => serve("input", address, count),
  getInputRegister: (address) => one("input", address),
  setCoil: (address, value) => store("coil", address, value),
  setRegister: (address, value) => store("holding", address, value),
}, { host: options.host, port: Number(options.port), unitID: 255 });

server.on("initialized", () => console.log(JSON.stringify({ ready: true, port: server._server.address().port })));
server.on("serverError", (error) => { console.error(String(error)); process.exit(69); });
server.on("socketError", () => {});

function obey(line) {
  const [word, ...rest] = line.split(/\s+/);
  if (word === "count") return { requests };
  if (word === "silent") silent = rest[0] !== "0";
  else if (word === "exception") exception = Number(rest[0]);
  else if (word === "set") {
    const bit = rest[0] === "coil" || rest[0] === "discrete";
    rest.slice(2).forEach((v, i) => { spaces[rest[0]][Number(rest[1]) + i] = bit ? Number(v) !== 0 : Number(v); });
  } else return { ok: false };
  return { ok: true };
}

readline.createInterface({ input: process.stdin }).on("line", (line) => console.log(JSON.stringify(obey(line))));
