import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { getEnv } from "@/lib/env";

/** A mail server on loopback, which this process's mails go to until it is closed. For tests. */
export interface TestMailServer {
  readonly url: string;
  readonly taken: { to: string[]; id: string; text: string }[];
  /** It refuses what it gets. */
  isFull: boolean;
  /** An address that it has no mailbox for. */
  refuses: string | null;
  refused: number;
  close(): Promise<void>;
}

export async function testMailServer(): Promise<TestMailServer> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onRcptTo({ address }, _session, done) {
      if (address !== mail.refuses) return done();
      mail.refused += 1;
      done(Object.assign(new Error("no such mailbox"), { responseCode: 550 }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (mail.isFull) return done(new Error("the mailbox is full"));
        const to = session.envelope.rcptTo.map(({ address }) => address);
        // Quoted-printable, whose soft line ends are no part of a link.
        const raw = Buffer.concat(chunks).toString();
        const text = raw.replace(/=\r\n/g, "");
        const id = /^message-id:\s*(\S+)/im.exec(raw)?.[1] ?? "";
        mail.taken.push({ to, id, text });
        done();
      });
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  const mail: TestMailServer = {
    url: `smtp://127.0.0.1:${port}`,
    taken: [],
    isFull: false,
    refuses: null,
    refused: 0,
    async close() {
      getEnv().TRAILSEAL_SMTP_URL = undefined;
      await new Promise((resolve) => server.close(() => resolve(null)));
    },
  };
  getEnv().TRAILSEAL_SMTP_URL = mail.url;
  return mail;
}
