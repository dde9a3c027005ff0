import { defineConfig } from "vitest/config";

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
    // `npm run dev` beside `scripts/serve`.
    proxy: {
      "/rpc": { target: "http://127.0.0.1:4242", ws: true },
      "/canvas.png": "http://127.0.0.1:4242",
      "/dreams": "http://127.0.0.1:4242",
      "^/about$": "http://127.0.0.1:4242",
      "/movies": "http://127.0.0.1:4242",
      "^/history(\\.json|\\.atom|/.*)$": "http://127.0.0.1:4242",
    },
  },
  test: { include: ["test/**/*.test.ts"] },
});
