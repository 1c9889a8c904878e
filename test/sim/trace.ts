/**
 * A running fingerprint of everything that happened. Two runs of one seed have the same; a difference in one input's
 * time, order or bytes changes it. Two 32-bit lanes of FNV-1a over words: not cryptographic, nobody attacks it.
 */
export class TraceHash {
  private low = 0x811c9dc5;
  private high = 0x01000193;

  addWord(word: number): void {
    this.low = Math.imul(this.low ^ word, 0x01000193);
    this.high = Math.imul(this.high ^ (word + (this.low >>> 7)), 0x85ebca6b);
  }

  /** Adds a virtual time, to a microsecond. */
  addTime(at: number): void {
    const micros = Math.round(at * 1000);
    this.addWord(micros >>> 0);
    this.addWord(Math.floor(micros / 2 ** 32));
  }

  addText(text: string): void {
    for (let index = 0; index < text.length; index++) this.addWord(text.charCodeAt(index));
  }

  /** Adds a message: its length and its last 16 bytes, which for anything signed or sealed depend on all of it. */
  addBytes(bytes: Uint8Array): void {
    this.addWord(bytes.length);
    for (let index = Math.max(0, bytes.length - 16); index < bytes.length; index++) this.addWord(bytes[index]!);
  }

  /** 16 hex digits. */
  digest(): string {
    return [this.low, this.high].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
