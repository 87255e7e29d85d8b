import type { Metadata } from "next";
import { openApiDocument, type Parameter } from "@/lib/api/openapi";
import { publicUrl } from "@/lib/env";

export const metadata: Metadata = { title: "API" };
export const dynamic = "force-dynamic";

const CODE = "font-mono text-[12px]";

export default function ApiDocsPage() {
  const { info, paths, servers } = openApiDocument(publicUrl());
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
  return (
    <main className="mx-auto max-w-[88ch] px-8 py-8 max-sm:px-4">
      <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">{info.title}</h1>
      <p className="mt-1 text-(--text-2)">
        {info.description} Send <code className={CODE}>Authorization: Bearer sk_…</code> to{" "}
        <code className={`${CODE} break-all`}>{servers[0]?.url}</code>. The same as a file:{" "}
        <a href="/openapi.json" className="underline underline-offset-3">
          openapi.json
        </a>
        .
      </p>
      {operations.map(({ path, method, summary, parameters, requestBody, responses }) => (
        <section key={`${method} ${path}`} className="mt-8">
          <h2 className="text-[16px] leading-6 font-semibold">
            <code className="break-all">
              {method.toUpperCase()} {path}
            </code>
          </h2>
          <p className="text-(--text-2)">{summary}</p>
          <dl className="mt-2">
            {parameters.map((parameter) => (
              <ParameterRow key={parameter.name} {...parameter} />
            ))}
          </dl>
          {Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => (
            <Schema key={type} title={`Body, ${type}`} schema={schema} />
          ))}
          {Object.entries(responses).map(([status, { content }]) => (
            <Schema
              key={status}
              title={status === "default" ? "Refusal" : `Answer, ${status}`}
              schema={content["application/json"].schema}
            />
          ))}
        </section>
      ))}
    </main>
  );
}

function ParameterRow({ name, required, description, schema }: Parameter) {
  const { default: standard } = schema;
  return (
    <div className="flex flex-wrap gap-x-3 border-b border-(--border) py-1">
      <dt className={`${CODE} w-[16ch]`}>{name}</dt>
      <dd className="min-w-0 flex-1 text-(--text-2)">
        {required && "Required. "}
        {description}
        {standard !== undefined && ` Default: ${String(standard)}.`}
      </dd>
    </div>
  );
}

function Schema(props: { title: string; schema: object }) {
  return (
    <details className="mt-2">
      <summary className="cursor-pointer max-sm:py-3">{props.title}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard. */}
      <pre tabIndex={0} className={`${CODE} mt-1 overflow-x-auto bg-(--hover) p-3`}>
        {JSON.stringify(props.schema, null, 2)}
      </pre>
    </details>
  );
}
