// Runs v86 for xboot, in node: a PC that boots a medium, with two serial ports and an exit port, and nothing else.
//
//     node drive.mjs EMULATOR WASM BIOS DISPLAY MEDIUM MEMORY CONSOLE RESULT
//
// MEMORY is in MiB; CONSOLE and RESULT are descriptors of sockets: the console is written to, the result channel goes both ways. A byte that
// the guest writes to port 0xf4 ends the program, with the status 64 + byte once all that was said before is out; a byte that is none of
// the bytes that may stand there (0x01 to 0x3f), or whatever goes wrong, with status 2.

import fs from "node:fs";
import net from "node:net";

const [emulator, wasm, bios, display, medium, memory, console_, result] = process.argv.slice(2);
const EXIT = 0xf4, LARGEST = 0x3f, STATUS = 64, WRONG = 2, PATIENCE = 1000;
const START = 1893456000000;  // 2030-01-01: the guest's clock starts when each step's does (docs/contract.md)
const MOST = 4 << 20;  // bytes that wait for the host to read them; it reads at once

const begun = performance.now();
Date.now = () => START + Math.floor(performance.now() - begun);

let said = null, over = false;

// Ends the program, and says why: on standard error, and on the console, whose reader learns what v86 could not do.
function wrong(error) {
    if (over) return;
    over = true;  // what goes on by itself ends nothing any more
    fs.writeSync(2, `v86: ${error?.stack ?? error}\n`);
    setTimeout(() => process.exit(WRONG), PATIENCE);
    said?.socket.end(`\nv86 cannot go on: ${error?.message ?? error}\n`, () => process.exit(WRONG));
}
process.on("uncaughtException", wrong);
process.on("unhandledRejection", wrong);

// All of a file, in memory of its own.
function content(path) {
    const bytes = fs.readFileSync(path);
    return {buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)};
}

// A socket that is written to in pieces, and the bytes for it. A host that is gone needs none.
function line(descriptor) {
    const socket = new net.Socket({fd: Number(descriptor), readable: true, writable: true, allowHalfOpen: true});
    let bytes = [];
    function flush() {
        if (bytes.length) socket.write(Uint8Array.from(bytes));
        bytes = [];
        if (socket.writableLength > MOST) wrong("the host does not read");
    }
    function put(byte) {
        if (bytes.push(byte) === 1) setImmediate(flush);
        if (bytes.length >= 4096) flush();
    }
    socket.on("error", wrong);
    return {socket, put, flush};
}

said = line(console_);
const channel = line(result);
const {V86} = await import(emulator);
said.socket.resume();
const machine = new V86({
    wasm_fn: async imports => (await WebAssembly.instantiate(fs.readFileSync(wasm), imports)).instance.exports,
    memory_size: Number(memory) * (1 << 20), vga_memory_size: 2 << 20,
    bios: content(bios), vga_bios: content(display), cdrom: content(medium), boot_order: 0x213,
    uart1: true, acpi: false, fastboot: true, autostart: false,
    disable_keyboard: true, disable_mouse: true, disable_speaker: true,
});
machine.add_listener("emulator-ready", () => {
    // Not among the public calls of v86: one version of it is locked.
    machine.v86.cpu.io.register_write(EXIT, machine, byte => {
        if (over) return;
        over = true;
        const status = byte >= 1 && byte <= LARGEST ? STATUS + byte : WRONG;
        machine.stop();
        said.flush();
        channel.flush();
        said.socket.end(() => channel.socket.end(() => process.exit(status)));
    });
    machine.add_listener("serial0-output-byte", byte => over || said.put(byte));
    machine.add_listener("serial1-output-byte", byte => over || channel.put(byte));
    channel.socket.on("data", bytes => machine.serial_send_bytes(1, bytes));
    machine.run();
});
