import { defineConfig } from "vitest/config";

const SERVER = process.env.DREAMCANVAS_URL ?? "http://127.0.0.1:4242";

export default defineConfig({
  base: "./", // below whatever path the server is
  build: {
    outDir: "../dreamcanvas/page",
    emptyOutDir: true,
    target: "es2022",
    // Nothing is inlined as a data: URL, so that the content security policy can stay at 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // What several pages share is one file, not one for each set of pages.
      output: {
        codeSplitting: {
          groups: [{ name: "shared", test: /src.(browser|text|storage|words.(site|language))/ }],
        },
      },
      input: {
        index: "index.html",
        history: "history.html",
        about: "about.html",
        admin: "admin.html",
      },
    },
  },
  server: {
    // `scripts/dev`: Vite has the page, the server what it makes. Host is passed on, so that the
    // server sees the page's own origin.
    proxy: {
      "/rpc": { target: SERVER, ws: true },
      "^/canvas\\.": SERVER,
      "/dreams": SERVER,
      "/movies": SERVER,
      "^/history(\\.json|\\.atom|/.*)$": SERVER,
      // Filled by the server, thus shown as it was built.
      "^/about$": SERVER,
      "/assets": SERVER,
      "^/(livez|readyz|metrics|openrpc\\.json)$": SERVER,
      "/proto": SERVER,
    },
  },
  test: { include: ["test/**/*.test.ts"] },
});
