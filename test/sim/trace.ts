/**
 * A running fingerprint of everything that happened. Two runs of one seed have the same; a difference in one input's
 * time, order or bytes changes it. Two 32-bit lanes of FNV-1a over words: not cryptographic, nobody attacks it.
 */
export class TraceHash {
  private low = 0x811c9dc5;
  private high = 0x01000193;
  private readonly words = new Map<string, number>();

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

  /** Adds one of a few names, such as kinds of inputs. */
  addName(name: string): void {
    let word = this.words.get(name);
    if (word === undefined) {
      word = 0;
      for (let index = 0; index < name.length; index++) word = Math.imul(word ^ name.charCodeAt(index), 0x01000193);
      this.words.set(name, word);
    }
    this.addWord(word);
  }

  /** Adds a message: its length and its last 8 bytes, which for anything signed or sealed depend on all of it. */
  addBytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.addWord(length);
    for (let end = length; end > Math.max(0, length - 8); end -= 4) {
      const tail = (bytes[end - 1] ?? 0) | ((bytes[end - 2] ?? 0) << 8);
      this.addWord(tail | ((bytes[end - 3] ?? 0) << 16) | ((bytes[end - 4] ?? 0) << 24));
    }
  }

  /** 16 hex digits. */
  digest(): string {
    return [this.low, this.high].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
