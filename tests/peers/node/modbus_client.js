// Modbus clients of the npm world: node modbus_client.js KIND HOST PORT OPTIONS
//
//   KIND     serial_tcp     modbus-serial, connectTCP
//            serial_mbap    modbus-serial, connectTcpRTUBuffered (which speaks MBAP, whatever its name says)
//            serial_telnet  modbus-serial, connectTelnet (RTU over TCP)
//            jsmodbus       jsmodbus, client.TCP
//
// Options and output are those of libmodbus_client.c.
"use strict";
const net = require("node:net");
const jsmodbus = require("jsmodbus");
const ModbusRTU = require("modbus-serial");

const [kind, host, port, ...rest] = process.argv.slice(2);
const options = { unit: 1, fn: 3, at: 0, count: 1, value: 0, repeat: 1, "timeout-ms": 1000 };
for (let i = 0; i < rest.length; i += 2) options[rest[i].slice(2)] = Number(rest[i + 1]);
const { unit, fn, at, count, value, repeat } = options;

async function withModbusSerial(connect) {
  const client = new ModbusRTU();
  await client[connect](host, { port: Number(port) });
  client.setID(unit);
  client.setTimeout(options["timeout-ms"]);
  const calls = {
    1: () => client.readCoils(at, count),
    2: () => client.readDiscreteInputs(at, count),
    3: () => client.readHoldingRegisters(at, count),
    4: () => client.readInputRegisters(at, count),
    5: () => client.writeCoil(at, value !== 0),
    6: () => client.writeRegister(at, value),
    16: () => client.writeRegisters(at, [value, ...Array(count - 1).fill(0)]),
  };
  return {
    ask: async () => ((await calls[fn]()).data ?? []).slice(0, count).map(Number),
    exceptionOf: (error) => error.modbusCode,
  };
}

function withJsmodbus() {
  return new Promise((resolve, reject) => {
    const socket = new net.Socket();
    const client = new jsmodbus.client.TCP(socket, unit, options["timeout-ms"]);
    const calls = {
      1: () => client.readCoils(at, count),
      2: () => client.readDiscreteInputs(at, count),
      3: () => client.readHoldingRegisters(at, count),
      4: () => client.readInputRegisters(at, count),
      5: () => client.writeSingleCoil(at, value !== 0),
      6: () => client.writeSingleRegister(at, value),
      16: () => client.writeMultipleRegisters(at, [value, ...Array(count - 1).fill(0)]),
    };
    socket.on("error", reject);
    socket.on("connect", () => resolve({
      ask: async () => {
        const { response } = await calls[fn]();
        return fn > 4 ? [] : Array.from(response.body.valuesAsArray).slice(0, count).map(Number);
      },
      exceptionOf: (error) => (error.err === "ModbusException" ? error.response.body.code : null),
    }));
    socket.connect({ host, port: Number(port) });
  });
}

const dials = {
  serial_tcp: () => withModbusSerial("connectTCP"),
  serial_mbap: () => withModbusSerial("connectTcpRTUBuffered"),
  serial_telnet: () => withModbusSerial("connectTelnet"),
  jsmodbus: withJsmodbus,
};

async function main() {
  let good = 0;
  const client = await dials[kind]();
  for (let i = 0; i < repeat; ++i) {
    const began = process.hrtime.bigint();
    const us = () => Number((process.hrtime.bigint() - began) / 1000n);
    try {
      const values = await client.ask();
      console.log(JSON.stringify({ ok: true, values, us: us() }));
      ++good;
    } catch (error) {
      console.log(JSON.stringify({
        ok: false, exception: client.exceptionOf(error) ?? null, error: String(error.message ?? error), us: us(),
      }));
    }
  }
  process.exit(good === repeat ? 0 : 1);
}

main().catch((error) => {
  console.log(JSON.stringify({ ok: false, exception: null, error: `connect: ${error.message}`, us: 0 }));
  process.exit(69);
});
