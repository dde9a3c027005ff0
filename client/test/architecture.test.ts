/**
 * Where the page's modules may import from, and how long a function may be: by the syntax trees of
 * `src`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, normalize } from "node:path/posix";
import { parseSync } from "vite";
import { describe, expect, test } from "vitest";

/** From top to bottom: a folder imports from the rows below its own and from itself. */
const ROWS = [
  ["app", "history", "about", "admin"],
  ["ink", "story"],
  ["ui"],
  ["view"],
  ["sync"],
  ["replica", "connection", "words"],
  ["storage"],
  ["browser", "text", "gen"],
] as const;
const LONGEST = 40;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

const SOURCES = new Map(
  readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => [name, readFileSync(`src/${name}`, "utf8")]),
);
const GENERATED = /^gen\//;

function nodesOf(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf);
  if (typeof value !== "object" || value === null) return [];
  const below = Object.values(value).flatMap(nodesOf);
  return "type" in value && "start" in value ? [value as Node, ...below] : below;
}

function parse(name: string, text: string): Node[] {
  const { program, errors } = parseSync(name, text);
  expect(errors, name).toEqual([]);
  return nodesOf(program);
}

/** The modules that a module imports, types included, as paths in `src`. */
function importsOf(name: string, text: string): string[] {
  return parse(name, text).flatMap((node) => {
    const source =
      "source" in node ? (node.source as { value?: unknown } | null)?.value : undefined;
    const path = typeof source === "string" && source.startsWith(".") ? source : undefined;
    return path
      ? [
          normalize(`${dirname(name)}/${path}`)
            .replace(/\.ts$/, "")
            .concat(".ts"),
        ]
      : [];
  });
}

/** The functions of more lines than allowed, each as `name:line`. */
function longFunctions(name: string, text: string): string[] {
  const lineOf = (at: number) => text.slice(0, at).split("\n").length;
  return parse(name, text)
    .filter(({ type }) => /^(Function(Declaration|Expression)|ArrowFunctionExpression)$/.test(type))
    .filter(({ start, end }) => lineOf(end) - lineOf(start) + 1 > LONGEST)
    .map(({ start }) => `${name}:${lineOf(start)}`);
}

const rowOf = (name: string) =>
  ROWS.findIndex((row) => row.some((folder) => name.startsWith(`${folder}/`)));

describe("the checks themselves", () => {
  test("see imports of values, of types and on demand, and exports from elsewhere", () => {
    const text = `import { a } from "../b/c"; import type { D } from "./d"; export * from "./e"; import("./f");`;
    expect(importsOf("x/y.ts", text)).toEqual(["b/c.ts", "x/d.ts", "x/e.ts", "x/f.ts"]);
  });

  test("see functions, methods and arrows that are too long", () => {
    const body = "\n".repeat(LONGEST);
    const text = `function a() {${body}}\nclass B { c() {${body}} }\nconst d = () => {${body}};\nfunction e() {}`;
    expect(longFunctions("x.ts", text)).toHaveLength(3);
  });
});

test("every module is in a folder that has a row", () => {
  expect(SOURCES.size).toBeGreaterThan(60);
  expect([...SOURCES.keys()].filter((name) => rowOf(name) < 0)).toEqual([]);
});

test("imports lead to a row below, or stay in their folder", () => {
  const wrong = [...SOURCES].flatMap(([name, text]) =>
    importsOf(name, text)
      .filter((other) => dirname(other) !== dirname(name) && rowOf(other) <= rowOf(name))
      .map((other) => `${name} imports ${other}`),
  );
  expect(wrong).toEqual([]);
});

test("no modules import each other in a circle", () => {
  const left = new Map([...SOURCES].map(([name, text]) => [name, importsOf(name, text)]));
  for (const names of left.values())
    for (const name of names) expect(SOURCES.has(name), name).toBe(true);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [name, needs] of left)
      if (!needs.some((other) => left.has(other))) left.delete(name);
  }
  expect([...left.keys()]).toEqual([]);
});

test("no function is longer than 40 lines", () => {
  const ours = [...SOURCES].filter(([name]) => !GENERATED.test(name));
  expect(ours.flatMap(([name, text]) => longFunctions(name, text))).toEqual([]);
});
