import { Cell } from "./value.ts";

/** Colours: as the system says, or as chosen. */
export type Theme = "system" | "light" | "dark";
/** Languages with a complete translation, by BCP 47 tag; the tag names the file. */
export const languages = ["en", "zh-Hans", "zh-Hant"] as const;
/** One of `languages`. */
export type Language = (typeof languages)[number];

/** What a person chose about this window. It lives as long as the window: nothing is stored. */
export class Settings {
  readonly theme = new Cell<Theme>("system");
  readonly language: Cell<Language>;
  /** An open microphone is muted when somebody begins to record. */
  readonly mutesWhenRecorded = new Cell(true);
  /** One's own name, offered again for the next room. */
  readonly name = new Cell("");

  /** Everything about the person goes; language and colours are no secret, and a window that changes them shows something. */
  forget(): void {
    this.name.set("");
    this.mutesWhenRecorded.set(true);
  }

  /** Starts in the first of the system's languages that there is. */
  constructor(systemLanguages: readonly string[]) {
    this.language = new Cell(bestLanguage(systemLanguages));
  }
}

/** The first wanted language that there is. Chinese without a script goes by its region: traditional in TW, HK and MO. */
export function bestLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const [base, ...rest] = tag.toLowerCase().split(/[-_]/);
    if (base === "en") return "en";
    if (base === "yue") return "zh-Hant";
    if (base !== "zh") continue;
    if (rest.includes("hans")) return "zh-Hans";
    return rest.some((part) => ["hant", "tw", "hk", "mo"].includes(part)) ? "zh-Hant" : "zh-Hans";
  }
  return "en";
}
