import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail as the server got it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** The `Message-ID`, with its brackets. */
  readonly id: string | undefined;
  /** The header, with its lines unfolded. */
  readonly header: string;
  /** The mail with its encoded parts decoded, as a reader sees it. */
  readonly text: string;
  /** The whole mail, as it was sent. */
  readonly raw: string;
}

export interface MailServer {
  readonly url: string;
  /** All mails so far, oldest first. */
  readonly mails: readonly ReceivedMail[];
  /** Answers this recipient with this code from now on. */
  refuse(address: string, code: number): void;
  /** Takes mails from now on without saying so. */
  hang(): void;
  close(): Promise<void>;
}

/** Starts a real SMTP server on a free port of the loopback. It takes every mail. */
export async function startMailServer(): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const refused = new Map<string, number>();
  let isHanging = false;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }, _session, done) {
      const code = refused.get(address);
      if (code === undefined) return done(null);
      return done(Object.assign(new Error(`no ${address} here`), { responseCode: code }));
    },
    onData(stream, { envelope: { mailFrom, rcptTo } }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = mailFrom === false ? '' : mailFrom.address;
        const to = rcptTo.map(({ address }) => address);
        mails.push({ from, to, ...parsed(Buffer.concat(chunks).toString()) });
        if (!isHanging) done();
      });
    },
  });
  // A client that hangs up is part of some tests.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    refuse(address, code) {
      refused.set(address, code);
    },
    hang() {
      isHanging = true;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function parsed(raw: string): Pick<ReceivedMail, 'id' | 'header' | 'text' | 'raw'> {
  const header = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n\s+/g, ' ');
  const quoted = raw
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const encoded = /Content-Transfer-Encoding: base64\r\n(?:[^\r\n]+\r\n)*\r\n([\w+/=\r\n]+)/g;
  const decoded = [...raw.matchAll(encoded)].map(([, text = '']) => Buffer.from(text, 'base64').toString());
  return {
    id: /^Message-ID: (.+)$/m.exec(header)?.[1],
    header,
    text: [Buffer.from(quoted, 'latin1').toString(), ...decoded].join('\n'),
    raw,
  };
}
