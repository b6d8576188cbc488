// Reads every collection to its end by the generated types, and prints how many records each has.

import type { components, paths } from "./kbase.ts";

type Json<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer Answer } } } };
}
  ? Answer
  : never;
// Without `fields` and `omit` records are whole; the other shape of a list has parts of records.
type Whole<Answer> = Answer extends { results: { url: string }[]; next: string | null } ? Answer : never;
type ListPath = { [P in keyof paths]: [Whole<Json<P>>] extends [never] ? never : P }[keyof paths];
type Row<P extends ListPath> = Whole<Json<P>>["results"][number];
type Query<P extends ListPath> = NonNullable<paths[P]["get"]["parameters"]["query"]>;

const [root] = process.argv.slice(2);

async function read<Answer>(address: string): Promise<Answer> {
  const answer = await fetch(address);
  if (!answer.ok) {
    const problem = (await answer.json()) as components["schemas"]["Problem"];
    throw new Error(`${problem.status}: ${problem.detail}`);
  }
  return (await answer.json()) as Answer;
}

async function all<P extends ListPath>(path: P, query: Query<P>): Promise<Row<P>[]> {
  const rows: Row<P>[] = [];
  let next: string | null = `${root}${path}?${new URLSearchParams(query as Record<string, string>)}`;
  while (next) {
    const page: Whole<Json<P>> = await read<Whole<Json<P>>>(next);
    rows.push(...page.results);
    next = page.next;
  }
  return rows;
}

const lists = [
  "/api/v1/authorisations/",
  "/api/v1/companies/",
  "/api/v1/enforcement-actions/",
  "/api/v1/events/",
  "/api/v1/figures/",
  "/api/v1/jurisdictions/",
  "/api/v1/measures/",
  "/api/v1/milestones/",
  "/api/v1/organisations/",
  "/api/v1/people/",
  "/api/v1/policies/",
  "/api/v1/regulators/",
  "/api/v1/sources/",
  "/api/v1/stances/",
  "/api/v1/topics/",
] as const satisfies readonly ListPath[];

const counts: Record<string, number> = {};
for (const path of lists) {
  counts[path] = (await all(path, { cursor: "*", page_size: 200 })).length;
}

const policies = await all("/api/v1/policies/", { status: ["in_force"], on: "2026-01-01", ordering: ["-title"], cursor: "*" });
for (const policy of policies) {
  const place: string = policy.jurisdiction.code;
  const status: "in_force" | string = policy.status.code;
  const reference: string | null = policy.reference;
  if (status !== "in_force" || !place || reference === "") throw new Error(policy.slug);
  // @ts-expect-error: a record has only the fields that are described.
  policy.titel;
}
// @ts-expect-error: a filter takes only the words that are described.
const never: Query<"/api/v1/policies/"> = { status: ["in force"] };

console.log(JSON.stringify(counts));
