import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

// What people run is React for use, not for development, whatever the shell says: that one is twice as long, slower, and
// tells where on this computer it was built.
process.env["NODE_ENV"] = "production";

/** Builds the window, and the page by which the desktop app lends its network, into dist/renderer, its JavaScript in assets. */
export default defineConfig({
  root,
  plugins: [react()],
  build: {
    outDir: fileURLToPath(new URL("../dist/renderer", import.meta.url)),
    emptyOutDir: true,
    // Electron 45 and the Chromium of Debian stable both know everything of this.
    target: "chrome140",
    // The page's policy lets nothing be loaded from data: addresses, worklets and WASM least of all.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    rolldownOptions: { input: ["index.html", "lend.html"].map((name) => `${root}${name}`) },
  },
  worker: { format: "es" },
  clearScreen: false,
});
