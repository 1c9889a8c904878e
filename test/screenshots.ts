/**
 * `npm run screenshots -- [part of a name…]`: every screen, in both themes, in every language, at the width of a desktop and of a
 * phone, as PNG into dist/screenshots.
 * Installs the fonts it lacks when it can; else says what to install.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { languages } from "../renderer/model/settings.ts";
import { installNeeds, pictureNeeds } from "./needs.ts";
import { drive, startFixtureSite } from "./renderer/fixture-page.ts";
import { screens } from "./renderer/screens.ts";

const folder = fileURLToPath(new URL("../dist/screenshots/", import.meta.url));
const sizes = [
  { name: "wide", width: 1280, height: 832 },
  { name: "narrow", width: 360, height: 780 },
] as const;
const wanted = process.argv.slice(2);

try {
  installNeeds(pictureNeeds);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
await mkdir(folder, { recursive: true });
const site = await startFixtureSite();
let count = 0;
try {
  for (const size of sizes) {
    for (const dark of [true, false]) {
      for (const language of languages) {
        for (const screen of screens) {
          const name = `${screen.name}.${size.name}.${dark ? "dark" : "light"}.${language}.png`;
          if (wanted.length > 0 && !wanted.every((part) => name.includes(part))) continue;
          const page = await site.open({ width: size.width, height: size.height, dark });
          await drive(page, "setLanguage", language);
          await page.locator(`html[lang="${language}"]`).waitFor();
          await screen.show(page);
          await page.screenshot({ path: join(folder, name), animations: "disabled", caret: "hide" });
          await page.context().close();
          count += 1;
        }
      }
    }
  }
} finally {
  await site.stop();
}
console.log(`${count} pictures in dist/screenshots`);
if (count === 0) {
  console.error(
    `No picture's name has all of these in it: ${wanted.join(" ").slice(0, 80)}. Without a word all are drawn.`,
  );
  process.exitCode = 2;
}
