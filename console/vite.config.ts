import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// Relative addresses, so that the page also works below a path of a reverse proxy. Nothing is inlined: the page's
// Content-Security-Policy allows files of its own origin only.
export default defineConfig({
  plugins: [svelte()],
  base: "./",
  worker: { format: "es" },
  build: {
    outDir: "../src/vivavoce/http/console_files",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: {
    fs: { allow: [".."] }, // the personas
    proxy: { "/v1": { target: "http://127.0.0.1:8080", ws: true }, "^/(health|metrics|readyz)": "http://127.0.0.1:8080" },
  },
});
