import { sha256Hex } from "@/lib/chain/sha256";
import { copyBytes, grown, moveBack } from "./move-bytes";

const code = (character: string) => character.charCodeAt(0);
const QUOTE = code('"');
const BACKSLASH = code("\\");
const COMMA = code(",");
const COLON = code(":");
const SPACE = code(" ");
const OPEN_OBJECT = code("{");
const CLOSE_OBJECT = code("}");
const OPEN_ARRAY = code("[");
const CLOSE_ARRAY = code("]");
const ZERO = code("0");
const NINE = code("9");
/** Whole numbers of so many digits are what they are as doubles, too. */
const EXACT_DIGITS = 15;
const BEYOND_ASCII = 0x80;
/** As jsonb writes numbers: never with an exponent. */
const NUMBER = /^-?\d+(\.\d+)?$/;

const MOST_MEMBERS = 64;
const MOST_DEPTH = 16;

/** A value that is beyond CanonicalWriter; made once, since it is thrown often where it is thrown. */
export const REFUSED = new Error("this jsonb has to be parsed");

/**
 * Writes messages that hold JCS (RFC 8785), made from jsonb as PostgreSQL writes it, without parsing that. Strings
 * are copied, since both escape the same characters in the same way; members, which jsonb has by the length of
 * their keys, are put in order; numbers are respelled. Refused are keys with escapes or beyond ASCII, whose order
 * is not that of their bytes, numbers beyond doubles, very many members, and whatever jsonb does not look like.
 */
export class CanonicalWriter {
  #out: Buffer = Buffer.allocUnsafeSlow(4096);
  #end = 0;
  /** Views of `#out`, by their length. */
  readonly #messages: (Buffer | undefined)[] = [];
  #source: Buffer = this.#out;
  #at = 0;
  #to = 0;
  /** Where the members begin of the objects that are open, the outermost first. */
  readonly #members = new Int32Array(MOST_MEMBERS * MOST_DEPTH);
  /** Members of the object that was added last. */
  #count = 0;

  /** Begins a message. */
  begin(bytes: Uint8Array): void {
    this.#end = 0;
    this.addBytes(bytes, 0, bytes.length);
  }

  addBytes(source: Uint8Array, from: number, to: number): void {
    this.#grow(this.#end + to - from);
    this.#end = copyBytes(this.#out, this.#end, source, from, to);
  }

  #grow(length: number): void {
    const out = grown(this.#out, this.#end, length);
    if (out === this.#out) return;
    this.#out = out;
    this.#messages.length = 0;
  }

  /**
   * Adds the JCS of the object at `from`, whose text ends at `to` or before.
   * @returns where its text ends
   * @throws REFUSED; what the message then holds is of no use
   */
  addObject(source: Buffer, from: number, to: number): number {
    // JCS is never longer than PostgreSQL's text of the same value.
    this.#grow(this.#end + to - from);
    this.#source = source;
    this.#at = from;
    this.#to = to;
    this.#count = this.#object(0, 0);
    if (this.#at > to) throw REFUSED;
    return this.#at;
  }

  /** Holds the message, and more. */
  get bytes(): Buffer {
    return this.#out;
  }

  /**
   * Where the text of a member begins and ends, in `bytes`, of the object that was added last; null where it has
   * none, or another value.
   * @throws REFUSED for a text with escapes
   */
  text(name: string): [from: number, to: number] | null {
    const [out, members] = [this.#out, this.#members];
    for (let index = 0; index < this.#count; index += 1) {
      const key = (members[index] as number) + 1;
      const end = key + name.length;
      if (out[end] !== QUOTE || !this.#isAt(key, name)) continue;
      if (out[end + 2] !== QUOTE) return null;
      const next = index + 1 < this.#count ? (members[index + 1] as number) : this.#end;
      for (let at = end + 3; at < next - 2; at += 1) if (out[at] === BACKSLASH) throw REFUSED;
      return [end + 3, next - 2];
    }
    return null;
  }

  #isAt(start: number, text: string): boolean {
    for (let at = 0; at < text.length; at += 1)
      if (this.#out[start + at] !== text.charCodeAt(at)) return false;
    return true;
  }

  get message(): Buffer {
    // A view takes longer to make than to hash, and messages are of few lengths.
    this.#messages[this.#end] ??= this.#out.subarray(0, this.#end);
    return this.#messages[this.#end] as Buffer;
  }

  /** SHA-256 of the message, lower-case hex. */
  hash(): string {
    return sha256Hex(this.message);
  }

  /** `open`: members of the objects around. */
  #value(depth: number, open: number): void {
    if (depth === MOST_DEPTH) throw REFUSED;
    switch (this.#source[this.#at]) {
      case QUOTE:
        this.#string(false);
        break;
      case OPEN_OBJECT:
        this.#object(depth, open);
        break;
      case OPEN_ARRAY:
        this.#array(depth, open);
        break;
      default:
        this.#scalar();
    }
  }

  /** Passes over a byte that stands here. */
  #skip(byte: number): void {
    if (this.#source[this.#at++] !== byte) throw REFUSED;
  }

  /** Passes over what follows a value; whether another one does. */
  #more(close: number): boolean {
    if (this.#source[this.#at] === close) {
      this.#at += 1;
      return false;
    }
    this.#skip(COMMA);
    this.#skip(SPACE);
    return true;
  }

  #string(isKey: boolean): void {
    const [source, out, to] = [this.#source, this.#out, this.#to];
    let [at, end] = [this.#at + 1, this.#end];
    out[end++] = QUOTE;
    for (let byte = 0; byte !== QUOTE; ) {
      if (at >= to) throw REFUSED;
      byte = source[at++] as number;
      out[end++] = byte;
      if (isKey && (byte === BACKSLASH || byte >= BEYOND_ASCII)) throw REFUSED;
      if (byte === BACKSLASH) out[end++] = source[at++] as number;
    }
    this.#at = at;
    this.#end = end;
  }

  #scalar(): void {
    const [source, from] = [this.#source, this.#at];
    let to = from;
    let isInteger = true;
    for (; to < this.#to; to += 1) {
      const byte = source[to] as number;
      if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) break;
      isInteger &&= byte >= ZERO && byte <= NINE;
    }
    if (
      isInteger &&
      to > from &&
      to - from <= EXACT_DIGITS &&
      (source[from] !== ZERO || to === from + 1)
    ) {
      this.#at = to;
      this.#end = copyBytes(this.#out, this.#end, source, from, to);
      return;
    }
    let text = source.toString("latin1", from, to);
    if (text !== "true" && text !== "false" && text !== "null") {
      const number = NUMBER.test(text) ? Number(text) : Number.NaN;
      if (!Number.isFinite(number)) throw REFUSED;
      text = String(number);
    }
    this.#at = to;
    this.#end += this.#out.write(text, this.#end, "latin1");
  }

  #array(depth: number, open: number): void {
    const out = this.#out;
    out[this.#end++] = OPEN_ARRAY;
    this.#at += 1;
    if (this.#source[this.#at] === CLOSE_ARRAY) this.#at += 1;
    else {
      this.#value(depth + 1, open);
      while (this.#more(CLOSE_ARRAY)) {
        out[this.#end++] = COMMA;
        this.#value(depth + 1, open);
      }
    }
    out[this.#end++] = CLOSE_ARRAY;
  }

  /** @returns how many members it has */
  #object(depth: number, open: number): number {
    const out = this.#out;
    out[this.#end++] = OPEN_OBJECT;
    this.#skip(OPEN_OBJECT);
    if (this.#source[this.#at] === CLOSE_OBJECT) {
      this.#at += 1;
      out[this.#end++] = CLOSE_OBJECT;
      return 0;
    }
    for (let count = 0; count < MOST_MEMBERS; ) {
      const start = this.#end;
      if (this.#source[this.#at] !== QUOTE) throw REFUSED;
      this.#string(true);
      this.#skip(COLON);
      this.#skip(SPACE);
      out[this.#end++] = COLON;
      this.#value(depth + 1, open + count + 1);
      const more = this.#more(CLOSE_OBJECT);
      // Every member moves with a comma behind it; the last one's becomes the brace.
      out[this.#end++] = COMMA;
      this.#place(open, count, start);
      count += 1;
      if (more) continue;
      out[this.#end - 1] = CLOSE_OBJECT;
      return count;
    }
    throw REFUSED;
  }

  /** Moves the member at `start`, the last, to where it belongs among the `count` others of its object. */
  #place(open: number, count: number, start: number): void {
    const members = this.#members;
    let index = open + count;
    while (index > open && this.#isBefore(start, members[index - 1] as number)) index -= 1;
    members[open + count] = start;
    if (index === open + count) return;
    const place = members[index] as number;
    moveBack(this.#out, place, start, this.#end);
    const length = this.#end - start;
    for (let later = open + count; later > index; later -= 1)
      members[later] = (members[later - 1] as number) + length;
    members[index] = place;
  }

  /** Whether the key of one member comes before another's. @throws REFUSED when they are the same */
  #isBefore(left: number, right: number): boolean {
    const out = this.#out;
    for (let at = 1; ; at += 1) {
      const [one, other] = [out[left + at] as number, out[right + at] as number];
      if (one === other && one === QUOTE) throw REFUSED;
      if (other === QUOTE) return false;
      if (one === QUOTE) return true;
      if (one !== other) return one < other;
    }
  }
}
