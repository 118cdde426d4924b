import { type Document, MongoClient, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { StoreUnavailableError } from '../store.ts';
import { isUnavailable, mongoCode } from './errors.ts';

/** The least wire version that is accepted, which is that of the oldest release in the tests. */
const wireVersionMin = 17;
const probeMs = 1_000;
/** A router of a sharded cluster answers `hello` with this text. */
const mongos = 'isdbgrid';

const tooOld = 'it is too old: MongoDB 6.0 or newer is needed';
const notInitiated = 'its replica set was never initiated: run rs.initiate() once in mongosh';
const noReplicaSet =
  'it runs alone, and only a replica set has the transactions that the store needs. Start mongod with ' +
  '--replSet rs0 and run rs.initiate() once in mongosh; a single member will do';

/**
 * Parses the URL. The driver checks more of it later.
 * @throws Error with one line if it is not a MongoDB URL.
 */
export function parsed(url: string): { readonly hasDatabase: boolean } {
  const found = /^mongodb(?:\+srv)?:\/\/[^/?]+(?:\/(?<database>[^?]*))?/.exec(url);
  if (!found) {
    throw new Error(
      'the address of MongoDB must look like mongodb://host:27017/ticket-booking?replicaSet=rs0',
    );
  }
  return { hasDatabase: Boolean(found.groups?.database) };
}

/**
 * Checks that the server has all features that the store needs.
 * @throws Error that says which feature is missing; the driver's error if the server does not answer.
 */
export async function checkServer(client: MongoClient): Promise<{ readonly isSharded: boolean }> {
  const admin = client.db('admin');
  const hello = await admin.command({ hello: 1 });
  const lack = lackOf(hello);
  if (lack !== undefined) throw refused(client, lack);
  // A server that needs a password refuses the first command that reads.
  await client.db().command({ listCollections: 1, nameOnly: true, authorizedCollections: true });
  return { isSharded: hello.msg === mongos };
}

function lackOf(hello: Document): string | undefined {
  if (hello.maxWireVersion < wireVersionMin) return tooOld;
  if (hello.isreplicaset) return notInitiated;
  return hello.setName === undefined && hello.msg !== mongos ? noReplicaSet : undefined;
}

/**
 * Converts an error of the start to an error with one line, with the server's host and without the password. The result
 * is a StoreUnavailableError if waiting may help.
 */
export async function explainStart(error: unknown, client: MongoClient | undefined): Promise<Error> {
  if (error instanceof StartError) return error;
  const words = oneLine(error instanceof Error ? error.message : String(error));
  if (!client) return new StartError(`the address of MongoDB cannot be used: ${words}`);
  if (error instanceof MongoServerSelectionError) {
    const { why, mayPass } = await diagnosed(words, client);
    const diagnosis = refused(client, why, error);
    return mayPass ? new StoreUnavailableError(diagnosis.message, { cause: error }) : diagnosis;
  }
  const denied = whyDenied(error, client);
  if (denied !== undefined) return refused(client, denied, error);
  const diagnosis = refused(client, words, error);
  // The server has ended, or is no longer the primary, since the driver selected it.
  return isUnavailable(error) ? new StoreUnavailableError(diagnosis.message, { cause: error }) : diagnosis;
}

/** Explains an error of authentication. Returns undefined for other errors. */
function whyDenied(error: unknown, client: MongoClient): string | undefined {
  if (!(error instanceof MongoServerError)) return undefined;
  if (error.code === mongoCode.authenticationFailed) {
    return 'the user or the password is wrong (or the authSource they are kept in)';
  }
  if (error.code !== mongoCode.unauthorized) return undefined;
  const { credentials } = client.options;
  return credentials
    ? `the user ${credentials.username} may not use the database: it needs the role readWrite`
    : 'it wants a user and a password';
}

/** An error that already has one line. */
class StartError extends Error {}

function refused(client: MongoClient, why: string, cause?: unknown): StartError {
  const { srvHost, hosts } = client.options;
  const place = srvHost ?? hosts.map(String).join(',');
  return new StartError(`MongoDB at ${place} cannot be used: ${why}`, cause === undefined ? {} : { cause });
}

interface Diagnosis {
  readonly why: string;
  /** Whether the cause may end without a restart of this process. */
  readonly mayPass: boolean;
}

/** Asks each host for its role, because the driver only says that it cannot use any of the hosts. */
async function diagnosed(words: string, client: MongoClient): Promise<Diagnosis> {
  const { hosts, replicaSet, tls } = client.options;
  if (words.includes('wire version')) return { why: tooOld, mayPass: false };
  const answers = await Promise.all(hosts.map((host) => probe(String(host), tls)));
  const hello = answers.find((answer) => answer !== undefined);
  if (hello === undefined) return { why: `no server answers there (${words})`, mayPass: true };
  const lack = lackOf(hello);
  // The replica set may be initiated while this process waits.
  if (lack !== undefined) return { why: lack, mayPass: lack === notInitiated };
  if (replicaSet && hello.setName !== replicaSet) {
    const why = `its replica set is called ${hello.setName}, and the address says replicaSet=${replicaSet}`;
    return { why, mayPass: false };
  }
  if (hello.primary === undefined) {
    const why = `its replica set ${hello.setName} has no primary: too few of its members are up`;
    return { why, mayPass: true };
  }
  const members = (hello.hosts as string[]).map((host) => ({ host, answer: probe(host, tls) }));
  for (const { host, answer } of members) {
    if ((await answer) === undefined) continue;
    // The names are right, so the primary was elected, or has ended, just now.
    const isPrimary = host === hello.primary;
    const why = isPrimary ? 'its primary was only just elected' : `its primary ${hello.primary} is silent`;
    return { why, mayPass: true };
  }
  const names = members.map(({ host }) => host).join(', ');
  const why = `its replica set calls its members ${names}, and none can be reached under that name from here`;
  return { why, mayPass: false };
}

async function probe(host: string, tls: boolean): Promise<Document | undefined> {
  const options = {
    directConnection: true,
    tls,
    serverSelectionTimeoutMS: probeMs,
    connectTimeoutMS: probeMs,
  };
  const client = new MongoClient(`mongodb://${host}`, { ...options, socketTimeoutMS: probeMs });
  try {
    return await client.db('admin').command({ hello: 1 });
  } catch {
    return undefined;
  } finally {
    await client.close(true);
  }
}

function oneLine(text: string): string {
  return text.replace(/(:\/\/[^\s/@:]*):\S*@/g, '$1:(hidden)@').replace(/\s+/g, ' ');
}
