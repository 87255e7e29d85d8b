import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRanges } from "@/lib/http/client-address";
import {
  checkUrl,
  type Demands,
  EgressError,
  type EgressPolicy,
  guardedLookup,
  post,
  type Resolver,
} from "./egress";
import { classifyFailure } from "./failures";

const policy = (...allow: string[]): EgressPolicy => ({
  allow: parseRanges(allow, "TRAILSEAL_EGRESS_ALLOW"),
  ownHosts: new Set(["audit.example.com"]),
});

function refusal(url: string, allowed = policy()): string | null {
  try {
    checkUrl(url, allowed);
    return null;
  } catch (error) {
    if (error instanceof EgressError) return error.problem.code;
    throw error;
  }
}

describe("addresses written as literals are refused in every spelling", () => {
  it.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.0.0.1.",
    "１２７.0.0.1",
    "%31%32%37.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:0:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fec0::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
  ])("%s", (host) => {
    expect(refusal(`https://${host}/hook`)).toBe("egress_private");
  });
});

describe("what a URL may be", () => {
  it("a public address and a name on a usual port pass", () => {
    expect(refusal("https://93.184.216.34/hook")).toBeNull();
    expect(refusal("https://[2606:2800:220:1::1]:8443/hook")).toBeNull();
    expect(refusal("https://splunk.example.com:8088/")).toBeNull();
  });

  it.each([
    ["http://hooks.example.com/", "egress_plain_http"],
    ["http://93.184.216.34/", "egress_plain_http"],
    ["https://hooks.example.com:22/", "egress_port"],
    ["https://93.184.216.34:5432/", "egress_port"],
    ["https://user@hooks.example.com/", "egress_userinfo"],
    [`https://user:${"pass"}@hooks.example.com/`, "egress_userinfo"],
    ["ftp://hooks.example.com/", "egress_scheme"],
    ["file:///etc/passwd", "egress_scheme"],
    ["hooks.example.com", "egress_url"],
    ["https://audit.example.com/o/org_1", "egress_own_host"],
  ])("%s is refused: %s", (url, code) => {
    expect(refusal(url)).toBe(code);
  });

  it("the operator's ranges admit private addresses, plain http and any port, and nothing else", () => {
    const lan = policy("10.1.0.0/16", "127.0.0.1", "fd00::/8");
    expect(refusal("http://10.1.2.3:9000/", lan)).toBeNull();
    expect(refusal("http://2130706433:1234/", lan)).toBeNull();
    expect(refusal("http://[::ffff:10.1.2.3]/", lan)).toBeNull();
    expect(refusal("https://[fd00::5]:6514/", lan)).toBeNull();
    expect(refusal("https://10.2.0.1/", lan)).toBe("egress_private");
    expect(refusal("https://127.0.0.2/", lan)).toBe("egress_private");
    expect(refusal("http://93.184.216.34/", lan)).toBe("egress_plain_http");
    expect(refusal("https://user@10.1.2.3/", lan)).toBe("egress_userinfo");
  });
});

describe("names", () => {
  const resolveTo =
    (...addresses: string[]): Resolver =>
    (_name, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
  const https: Demands = { plain: null, unusualPort: null };

  function lookUp(resolver: Resolver, demands = https, allowed = policy()): Promise<unknown> {
    const lookup = guardedLookup(demands, allowed, resolver);
    return new Promise((resolve, reject) => {
      lookup("hooks.example.com", { all: true }, (error, found) =>
        error ? reject(error) : resolve(found),
      );
    });
  }

  it("a name that resolves to a private address is refused, whichever of its addresses it is", async () => {
    await expect(lookUp(resolveTo("127.0.0.1"))).rejects.toThrow(EgressError);
    await expect(lookUp(resolveTo("93.184.216.34", "10.0.0.1"))).rejects.toThrow("not a public");
    await expect(lookUp(resolveTo("64:ff9b::7f00:1"))).rejects.toThrow("not a public");
    await expect(lookUp(resolveTo("::ffff:169.254.169.254"))).rejects.toThrow("not a public");
    await expect(lookUp(resolveTo("93.184.216.34"))).resolves.toEqual([
      { address: "93.184.216.34", family: 4 },
    ]);
  });

  it("a name that changes its address between two look-ups is refused at the second", async () => {
    const answers = ["93.184.216.34", "169.254.169.254"];
    const rebinding: Resolver = (name, options, done) =>
      resolveTo(answers.shift() as string)(name, options, done);
    await expect(lookUp(rebinding)).resolves.toBeDefined();
    await expect(lookUp(rebinding)).rejects.toThrow("169.254.169.254 is not a public address");
  });

  it("plain http and other ports need every address of the name to be the operator's", async () => {
    const lan = policy("10.0.0.0/8");
    const plain: Demands = { plain: "http:", unusualPort: null };
    await expect(lookUp(resolveTo("10.0.0.1"), plain, lan)).resolves.toBeDefined();
    await expect(lookUp(resolveTo("93.184.216.34"), plain, lan)).rejects.toThrow("http://");
    const port: Demands = { plain: null, unusualPort: 22 };
    await expect(lookUp(resolveTo("93.184.216.34"), port, lan)).rejects.toThrow("Port 22");
  });

  it("a socket by name reaches the guard: localhost is refused unless allowed", async () => {
    const request = post("https://localhost:8443/", {}, "x", {
      policy: policy(),
      deadlineMs: 2_000,
    });
    const error = await request.catch((caught: unknown) => caught);
    expect(classifyFailure(error)).toMatchObject({
      kind: "config_error",
      problem: { code: "egress_private" },
    });
  });
});

describe("exchanges", () => {
  const server = http.createServer((request, response) => {
    const paths: Record<string, () => void> = {
      "/redirect": () => response.writeHead(302, { location: "/ok" }).end("moved"),
      "/large": () => response.writeHead(200).end(Buffer.alloc(1_000_000, "x")),
      "/slow": () => undefined,
      "/reset": () => request.socket.destroy(),
      "/ok": () => response.writeHead(200).end("fine"),
    };
    paths[request.url ?? ""]?.();
  });
  let base = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const send = (path: string, deadlineMs = 2_000) =>
    post(base + path, {}, "x", { policy: policy("127.0.0.1"), deadlineMs });

  it("redirects are not followed", async () => {
    expect(await send("/redirect")).toMatchObject({ status: 302, body: "moved" });
  });

  it("no more than 64 kB of an answer are read", async () => {
    expect((await send("/large")).body.length).toBe(65_536);
  });

  it("a silent receiver ends at the deadline, a reset at once, both to be tried again", async () => {
    const slow = await send("/slow", 300).catch((error: unknown) => error);
    expect(classifyFailure(slow)).toMatchObject({ kind: "retry", problem: { code: "timeout" } });
    const reset = await send("/reset").catch((error: unknown) => error);
    expect(classifyFailure(reset)).toMatchObject({
      kind: "retry",
      problem: { code: "connection_reset" },
    });
    const refused = await post("http://127.0.0.1:1/", {}, "x", {
      policy: policy("127.0.0.1"),
      deadlineMs: 2_000,
    }).catch((error: unknown) => error);
    expect(classifyFailure(refused)).toMatchObject({ problem: { code: "connection_refused" } });
  });

  it("a traced exchange names what it connected to", async () => {
    const trace = { steps: [] };
    await post(`${base}/ok`, {}, "x", { policy: policy("127.0.0.1"), deadlineMs: 2_000, trace });
    expect(trace.steps).toMatchObject([{ name: "connect", detail: base.replace("http://", "") }]);
  });
});
