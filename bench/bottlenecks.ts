/**
 * Why goals are missed, according to CPU profiles (`--cpu-prof`). There are no figures here, because the text appears
 * beside the results of any run on any machine.
 */
export const bottlenecks = {
  mongodb:
    'A purchase is two majority commits of its package and two durable entries in the suppliers’ ledger. The server’s ' +
    'thread (driver, HTTP, saga, garbage: no peak) and mongod, most of whose time per order goes to its indexes, share ' +
    'the machine.',
  sqlite:
    'SQLite shares the one thread of the server: statements, pages for the log and fsync, then garbage, HTTP and the saga. ' +
    'An order is written twice, and each of its two reservations once more.',
  refusal:
    'A refusal is what hello world does, and a strict reading of the body, its check, the key, the sale and a problem: ' +
    'many small pieces. With a key the store is asked first.',
  latencyMongodb:
    'A purchase waits for two commits, each of several round trips, and for its trips to the ledger; most of them wait for ' +
    'the journal, and under load each waits for the batch before it too.',
  latencySqlite: 'Checkpoints of the log block the one thread.',
  limits: 'Each purchase counts its client and its email, and its answer says what is left of the limit.',
  webhooks:
    'The commit that confirms an order stores the webhook that it owes: a row on SQLite, and on MongoDB a field of the ' +
    'order, which is in one more index. A busy server also goes on delivering a few of them.',
  cluster:
    'A forwarded purchase adds the way between instances: messages, answers and live updates of every order. Where ' +
    'packages are spread out, each instance commits smaller groups.',
  goodput: 'The thread that sells refuses too, and with SQLite it also stores.',
  memory:
    'Each connection has a request under way, in the queue for its commit: what is kept is theirs, and the young ' +
    'generation of V8 grows with it.',
  growthOfOrders:
    'The server’s own cost stays; that of the database grows, as its checkpoints write the pages of random indexes that ' +
    'filling the store at full speed has left.',
  growthOfPackages:
    'Where many packages sell a little each, each sale is a change of its own: fewer purchases share a commit, a statement ' +
    'and a turn of the actor.',
  flashSale:
    'Those in the queue, and the look-ups for the keys of all others, go through one thread and one database.',
  live: 'An update is written to all sockets one after the other, by the thread that sells.',
} as const;
