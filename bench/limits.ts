/** What bounds the goals that are missed, as profiles show it (`--cpu-prof`, two cores). */
export const limits = {
  mongodb:
    'A purchase is two majority commits of its package and two durable entries in the suppliers’ ledger. With 512 callers ' +
    'the server’s thread is busy two thirds of the time (BSON and driver, HTTP, saga, garbage: no peak) and waits for mongod ' +
    'else, which spends some 80 µs on each order that is confirmed, most of it on its indexes.',
  sqlite:
    'SQLite shares the one thread: 40 % of it are statements, pages for the log and fsync, 12 % garbage, 15 % HTTP, 11 % the ' +
    'saga. Each order is two writes, each of its two reservations another one and a look-up.',
  keepsNothing: 'The script keeps nothing and books nothing; it bounds what one hop costs. ',
  refusal:
    'A refusal is what hello world does, and a strict reading of the body, its check, the key, the sale and a problem: ' +
    'about as much again, in many small pieces. With a key the store is asked first.',
  latencyMongodb:
    'One purchase alone takes 18 ms: two commits of four round trips and three trips to the ledger, most of which wait for ' +
    'the journal; at half the ceiling each of them waits for the batch before it too.',
  latencySqlite: 'What is over 25 ms are checkpoints of the log, which block the one thread.',
  cluster:
    'One instance, mongod and the client fill both cores; a second instance adds the way between them: messages, answers ' +
    'and live news of every order.',
  memory:
    'Each of the 8,000 connections has a request under way, in the line for its commit: what is kept is theirs, and the ' +
    'young generation of V8 grows with it.',
  growthOfOrders:
    'The server’s own cost stays; mongod’s grows, as its checkpoints write the pages of random indexes that filling the store ' +
    'at full speed has left.',
  growthOfPackages:
    'Where many packages sell a little each, each sale is a change of its own: fewer purchases share a commit, a statement ' +
    'and a turn of the actor.',
  flashSale:
    'The 320 in the line and the looks for the keys of all others go through one thread and one mongod.',
  live: 'The passes over 10,000 sockets share the thread with the purchases.',
} as const;
