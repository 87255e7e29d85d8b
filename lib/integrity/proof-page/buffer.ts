// The bundler puts this before the proof's program: lib/chain speaks of Buffer as Node does.
export { Buffer } from "buffer";
