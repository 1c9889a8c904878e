import i18next, { type i18n } from "i18next";
import { useMemo } from "react";
import { initReactI18next, useTranslation } from "react-i18next";
import type { Sentence } from "../model/sentence.ts";
import type { Language } from "../model/settings.ts";
import en from "./locales/en.json" with { type: "json" };
import zhHans from "./locales/zh-Hans.json" with { type: "json" };
import zhHant from "./locales/zh-Hant.json" with { type: "json" };

type WithoutPlural<Key> = Key extends `${infer Base}_${"one" | "other"}` ? Base : Key;

/** Names a text of the translations. */
export type TextKey = WithoutPlural<keyof typeof en>;

/** What goes into a text. Words of people are isolated, so that their direction cannot turn the sentence round. */
export type TextValues = Readonly<Record<string, string | number>>;

/** Looks texts up in the language of now. */
export interface Texts {
  readonly language: string;
  readonly text: (key: TextKey, values?: TextValues) => string;
  /** Every sentence that view models know has a translation: a missing one does not compile. */
  readonly say: (sentence: Sentence) => string;
}

/** Makes the translations ready. Nothing is fetched: all languages are part of the program. */
export function createLanguage(language: Language): i18n {
  const instance = i18next.createInstance();
  const resources = { en: { translation: en }, "zh-Hans": { translation: zhHans }, "zh-Hant": { translation: zhHant } };
  const options = {
    lng: language,
    fallbackLng: "en",
    resources,
    keySeparator: false,
    nsSeparator: false,
    initAsync: false,
    // React escapes what it draws; escaping twice would show it.
    interpolation: { escapeValue: false },
  } as const;
  instance
    .use(initReactI18next)
    .init(options)
    .catch(() => undefined);
  return instance;
}

/** The texts, in the language of now; draws anew when it changes. */
export function useTexts(): Texts {
  const { i18n: instance } = useTranslation();
  const { language } = instance;
  return useMemo(() => textsOf(instance, language), [instance, language]);
}

function textsOf(instance: i18n, language: string): Texts {
  const numbers = new Intl.NumberFormat(language);
  const text = (key: TextKey, values: TextValues = {}): string => {
    const shown: Record<string, string | number> = {};
    for (const [name, value] of Object.entries(values)) {
      if (typeof value === "string") shown[name] = `\u2068${value}\u2069`;
      else if (name === "count") {
        shown[name] = value;
        shown["shown"] = numbers.format(value);
      } else shown[name] = numbers.format(value);
    }
    return instance.t(key, shown);
  };
  const say = ({ key, values }: Sentence): string => {
    if (values === undefined) return text(key);
    return text(key, values["name"] === "" ? { ...values, name: text("person.nameless") } : values);
  };
  return { language, text, say };
}
