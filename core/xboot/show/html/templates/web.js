"use strict";
// The host of one run: switches the PC on, reads its result channel as strictly as docs/channel.md says, and shows what came of it.
// What is expected was written by xboot (`told`); all that the guest says is shown as text.
(() => {
    const EXIT = 0xf4, SUCCESS = 0x31, MOST = 1 << 20, SHOWN = 1 << 16;
    const START = 1893456000000;  // 2030-01-01: the guest's clock starts when each step's does (docs/contract.md)
    const SIZE = "(0|[1-9][0-9]{0,18})", TEXT = "\"(?:[ !#-\\[\\]-~]|\\\\(?:n|\"|\\\\|x[0-9a-f]{2}))*\"";
    const RESULT = new RegExp(`^"([0-9a-f]{64})" ${SIZE} \\((|${TEXT}(?: ${TEXT})*)\\)\\)$`);
    const REST = new RegExp(`^${SIZE}\\)$`);
    const told = JSON.parse(document.getElementById("told").textContent);
    const element = id => document.getElementById(id);
    const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, "0")).join("");
    const FAIL = new RegExp(`^\\(fail "${nonce}" (?:0|[1-9][0-9]{0,18}) (exit|signal|start|output|source|limit|internal) (${TEXT})\\)$`);

    let ticking = 0, line = "", at = -1, ended = false, done = false, began = 0, since = 0, row = "boot", printed = "", shown = false;
    const found = new Map();

    function bytes(id) {
        const text = atob(element("part-" + id).textContent);
        const data = new Uint8Array(text.length);
        for (let n = 0; n < text.length; n++) data[n] = text.charCodeAt(n);
        return data.buffer;
    }

    function sri(hex) {
        return "sha256-" + btoa(String.fromCharCode(...hex.match(/../g).map(pair => parseInt(pair, 16))));
    }

    // The row that was at work is through, and the next one is, unless there is none (null).
    function move(next, state = "done") {
        const now = performance.now();
        element("step-state-" + row).textContent = state;
        element("step-time-" + row).textContent = ((now - since) / 1000).toFixed(1) + " s";
        since = now;
        if (next === null) return;
        row = next;
        element("step-state-" + row).textContent = "runs";
    }

    function end(kind, text) {
        if (ended) return;
        ended = true;
        clearInterval(ticking);
        if (kind === "bad" && at < told.lines.length) move(null, "failed");
        const verdict = element("verdict");
        verdict.textContent = text;
        verdict.classList.add(kind);
        verdict.hidden = false;
        element("now").textContent = `after ${((performance.now() - began) / 1000).toFixed(1)} s`;
        show();
        machine?.stop();
    }

    // One line of the result channel. Anything but what has to come now ends the run.
    function hear(text) {
        if (ended) return;
        if (at < 0) {
            if (text !== "(xboot 1)") return end("bad", `Failed: the PC's first line was ${text.slice(0, 100)}`);
            at = 0;
            const answer = new TextEncoder().encode(`(run "${nonce}" 0 0)\n`);
            machine.serial_send_bytes(1, answer);
            return;
        }
        const failed = FAIL.exec(text);
        if (failed && at > 0) return end("bad", `Failed in the PC (${failed[1]}): ${failed[2]}`);
        const wanted = told.lines[at];
        const start = wanted ? wanted.start.replace("NONCE", nonce) : "";
        const rest = text.slice(start.length);
        let good = wanted && text.startsWith(start);
        if (good && wanted.kind === "output") {
            const said = RESULT.exec(rest);
            const references = said && said[3] ? said[3].slice(1, -1).split("\" \"") : [];
            good = said && references.every((path, n) => path.startsWith(told.store + "/") && (!n || references[n - 1] < path));
            if (good) found.set(wanted.path, said[1]);
        } else if (good) {
            good = wanted.kind === "source" ? REST.test(rest) : rest === "";
        }
        if (!good) return end("bad", `Failed: the PC broke the rules of the result channel: ${text.slice(0, 200)}`);
        at++;
        if (wanted.kind === "hello") move("0");
        if (wanted.kind === "begin") move(String(wanted.step));
        if (wanted.kind === "output") tell(wanted.path);
        if (wanted.kind === "done") {
            done = true;
            move(null);
        }
    }

    function tell(path) {
        told.results.forEach((result, n) => {
            if (result.path !== path) return;
            const cell = element("output-" + n), hex = found.get(path);
            cell.textContent = sri(hex);
            if (result.published) cell.classList.add(hex === result.published ? "same" : "other");
        });
    }

    function show() {
        shown = false;
        const place = element("console");
        place.textContent = printed;
        place.scrollTop = place.scrollHeight;
    }

    // What the console says, with every byte that is no plain text left out; the last of it.
    function print(byte) {
        if (ended) return;
        if (byte === 10 || byte >= 32 && byte < 127) printed += String.fromCharCode(byte);
        if (printed.length > 2 * SHOWN) printed = printed.slice(-SHOWN);
        if (!shown) {
            shown = true;
            setTimeout(show, 200);
        }
    }

    // The PC has written a byte to its exit port: only now, and only with `done`, a run has succeeded.
    function exit(byte) {
        if (ended) return;
        if (!done || byte !== SUCCESS) return end("bad", `Failed: the PC ended with ${byte.toString(16)}${done ? "" : " before it was done"}`);
        const published = told.results.filter(result => result.published);
        const other = published.filter(result => found.get(result.path) !== result.published);
        if (other.length) return end("bad", `Built, but ${other.map(result => result.path).join(", ")} has another hash than the published one`);
        if (published.length < told.results.length) return end("unsure", "Built; not for everything a hash was published");
        end("good", published.length > 1 ? "Built here, and the hashes are the published ones" : "Built here, and the hash is the published one");
    }

    let machine = null;
    function start() {
        element("start").disabled = true;
        element("now").textContent = "at work";
        began = since = performance.now();
        ticking = setInterval(() => { element("now").textContent = `at work, ${Math.floor((performance.now() - began) / 1000)} s`; }, 1000);
        Date.now = () => START + Math.floor(performance.now() - began);
        element("step-state-boot").textContent = "runs";
        printed = "";
        machine = new V86({
            wasm_fn: async imports => (await WebAssembly.instantiate(bytes("wasm"), imports)).instance.exports,
            memory_size: told.memory * (1 << 20), vga_memory_size: 2 << 20,
            bios: {buffer: bytes("bios")}, vga_bios: {buffer: bytes("display")}, cdrom: {buffer: bytes("medium")}, boot_order: 0x213,
            uart1: true, acpi: false, fastboot: true, autostart: false,
            disable_keyboard: true, disable_mouse: true, disable_speaker: true,
        });
        machine.add_listener("emulator-ready", () => {
            machine.v86.cpu.io.register_write(EXIT, machine, exit);
            machine.add_listener("serial0-output-byte", print);
            machine.add_listener("serial1-output-byte", byte => {
                if (byte === 10) {
                    const text = line;
                    line = "";
                    return hear(text);
                }
                line += String.fromCharCode(byte);
                if (line.length >= MOST || byte < 32 || byte > 126) end("bad", "Failed: the PC said what is no line of the result channel");
            });
            machine.run();
        });
    }
    // What v86 cannot do ends the run, as a failure: nothing that it says later counts.
    function broken(error) {
        if (began) end("bad", `Failed: this browser cannot run the PC, or the PC cannot go on: ${error}`);
    }
    element("start").addEventListener("click", () => {
        try {
            start();
        } catch (error) {
            broken(error);
        }
    });
    window.addEventListener("error", event => broken(event.message));
    window.addEventListener("unhandledrejection", event => broken(event.reason));
})();
