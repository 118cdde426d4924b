import type { PlantedBug } from './planted-bug.ts';
import { plantedNoticeBugs } from './planted-notice-bugs.ts';
import { plantedPaymentBugs } from './planted-payment-bugs.ts';
import { plantedScaleBugs } from './planted-scale-bugs.ts';
import { plantedStorageBugs } from './planted-storage-bugs.ts';
import { plantedSupplierBugs } from './planted-supplier-bugs.ts';

/** Bugs that the simulation must find. found-bugs.json contains the seed that finds each bug. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'the store ignores the fence',
    edits: [
      {
        file: 'test/simulation/sim-store.ts',
        find: 'if (row === undefined || row.epoch !== fence.epoch || row.seq !== fence.seq) {',
        replace: 'if (row === undefined) {',
      },
    ],
  },
  {
    name: 'the fence is checked before the write instead of with it',
    edits: [
      {
        file: 'test/simulation/sim-store.ts',
        find: `    commit(id, fence, change) {
`,
        replace: `    commit(id, fence, change, seen = { ...core.packages.get(id) }) {
`,
      },
      {
        file: 'test/simulation/sim-store.ts',
        find: `            core.commit(id, fence, change, host);
`,
        replace: `            const isSeen = seen.epoch === fence.epoch && seen.seq === fence.seq;
            const { epoch, seq } = isSeen ? (core.packages.get(id) ?? fence) : fence;
            core.commit(id, { epoch, seq }, change, host);
`,
      },
    ],
  },
  {
    name: "a commit takes the store's current fence instead of its own",
    edits: [
      {
        file: 'src/engine/actor/package-actor.ts',
        find: '    const write = () => store.commit(travelPackage.id, { epoch, seq }, change);\n',
        replace: `    const write = async () => {
      const present = await store.versionedPackage(travelPackage.id);
      await store.commit(travelPackage.id, present?.fence ?? { epoch, seq }, change);
    };
`,
      },
    ],
  },
  {
    name: 'a unit is released at the start and at the end of a compensation',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: `    this.#draft.update(compensating);
`,
        replace: `    this.#draft.update(compensating);
    this.#releaseUnit({ held: -1 });
`,
      },
    ],
  },
  {
    name: "a saga's result is reported and counted twice",
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: `    if (!this.#options.signal.aborted) this.#options.report(result, [...this.#events]);
`,
        replace: `    for (const _ of [1, 2]) if (!this.#options.signal.aborted) this.#options.report(result, [...this.#events]);
`,
      },
      {
        file: 'src/domain/decide.ts',
        find: `    if (!expected.includes(order.status)) return;
`,
        replace: '',
      },
    ],
  },
  {
    name: "a saga's result of a former epoch is accepted in any status",
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: `    if (!this.#options.signal.aborted) this.#options.report(result, [...this.#events]);
`,
        replace: `    this.#options.report(result, [...this.#events]);
`,
      },
      {
        file: 'src/domain/decide.ts',
        find: `    if (order === undefined || message.epoch !== draft.state.epoch) return;
    const expected: readonly OrderStatus[] = expectedStatuses[message.kind];
`,
        replace: `    if (order === undefined) return;
    const expected = ['held', 'compensating', 'cancelling'];
`,
      },
    ],
  },
  {
    name: 'a pending cancellation is not resumed at a takeover',
    edits: [
      {
        file: 'src/engine/actor/package-actor.ts',
        find: "if (order.status !== 'queued') sagas.resume(order);",
        replace: "if (order.status === 'held') sagas.resume(order);",
      },
    ],
  },
  {
    name: 'a held order is not resumed at a takeover',
    edits: [
      {
        file: 'src/engine/actor/package-actor.ts',
        find: "if (order.status !== 'queued') sagas.resume(order);",
        replace: "if (order.status !== 'queued' && order.status !== 'held') sagas.resume(order);",
      },
    ],
  },
  {
    name: 'a cancel is sent before its commit',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "  const ticketNumber = steps.note('flight', ticket);\n",
        replace:
          "  const ticketNumber = steps.note('flight', ticket);\n" +
          "  if (ticket.kind === 'unknown') void options.suppliers.cancel('flights', { key, packageId }, options.signal);\n",
      },
    ],
  },
  {
    name: 'sold_out is answered while units are held',
    edits: [
      {
        file: 'src/domain/travel-package.ts',
        find: '  return inventory.confirmed - inventory.cancelling >= quota;',
        replace: '  return inventory.confirmed - inventory.cancelling + inventory.held >= quota;',
      },
    ],
  },
  {
    name: 'sold_out is answered while a cancellation will return a unit',
    edits: [
      {
        file: 'src/domain/travel-package.ts',
        find: '  return inventory.confirmed - inventory.cancelling >= quota;',
        replace: '  return inventory.confirmed >= quota;',
      },
    ],
  },
  {
    name: 'the queue is reversed after a takeover',
    edits: [
      {
        file: 'src/domain/package-state.ts',
        find: '    for (const order of ownership.unfinished) this.#take(order);',
        replace: '    for (const order of [...ownership.unfinished].reverse()) this.#take(order);',
      },
      {
        file: 'src/domain/package-state.ts',
        find: `    if (last !== undefined && last.number >= number) throw new RangeError('numbers in the queue only grow');
`,
        replace: '',
      },
    ],
  },
  {
    name: 'the last order in the queue gets the first unit',
    edits: [
      {
        file: 'src/domain/package-state.ts',
        find: `    this.#committedQueue = state.queue[Symbol.iterator]();
`,
        replace: `    this.#committedQueue = [...state.queue].reverse()[Symbol.iterator]();
`,
      },
    ],
  },
  {
    name: 'a returned unit is not given to the queue',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: '    this.#draft.move({ ...from, remaining: 1 });\n    this.#serveQueue();',
        replace: '    this.#draft.move({ ...from, remaining: 1 });',
      },
    ],
  },
  {
    name: 'callers are answered before the commit',
    edits: [
      {
        file: 'src/engine/actor/activation.ts',
        find: '    await actor.commit(step);\n',
        replace:
          '    actor.runEffects({ ...step, change: undefined } as Step);\n    await actor.commit(step);\n',
      },
    ],
  },
  {
    name: 'a commit of unknown outcome counts as applied',
    edits: [
      {
        file: 'src/engine/actor/activation.ts',
        find: '    await actor.commit(step);\n',
        replace:
          '    await actor.commit(step).catch((error: unknown) => {\n      if (!(error instanceof CommitUnknownError)) throw error;\n    });\n',
      },
    ],
  },
  {
    name: 'a key is not looked up once the package is sold out',
    edits: [
      {
        file: 'src/engine/actor/actor-engine.ts',
        find: '    return (await this.answerByKey(request)) ?? refused(code);\n',
        replace: '    return refused(code);\n',
      },
    ],
  },
  {
    name: 'a key is not looked up in the store',
    edits: [
      {
        file: 'src/engine/commands.ts',
        find: '    if (message.key !== undefined) keys.push(message.key);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a command in doubt is not looked up',
    edits: [
      {
        file: 'src/engine/commands.ts',
        find: '    if (message.inDoubt === true) ids.push(message.orderId);\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a repeated command is not marked as in doubt',
    edits: [
      {
        file: 'src/engine/actor/routing/router.ts',
        find: `        sent = inDoubt(sent);
`,
        replace: '',
      },
      {
        file: 'src/engine/actor/activation.ts',
        find: '      if (!this.#doubted.has(message)) return this.#handleInDoubt(message);\n',
        replace: '',
      },
    ],
  },
  {
    name: "a key returns another customer's order",
    edits: [
      {
        file: 'src/domain/refusals.ts',
        find: "return order.email === email ? { kind: 'accepted', order } : { kind: 'refused', code: 'key_reused' };",
        replace: "return { kind: 'accepted', order };",
      },
    ],
  },
  {
    name: "a supplier's silence counts as a refusal",
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "return this.report({ kind: 'needsCompensation', reason: 'supplier_silent', reserved });",
        replace: "return this.report({ kind: 'refused', reason: refused });",
      },
    ],
  },
  {
    name: 'a cancel is not retried',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: '    if (await suppliers.cancel(kind, request, signal, isUrgent)) return;\n',
        replace: '    await suppliers.cancel(kind, request, signal, isUrgent);\n    return;\n',
      },
    ],
  },
  {
    name: 'only the flight is cancelled',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "    cancelUntilDone('hotels', order, options).then(() => steps.noteCancelled(order, 'hotel')),\n",
        replace: '',
      },
    ],
  },
  {
    name: 'a takeover uses another key at the suppliers',
    edits: [
      {
        file: 'src/saga/saga-runner.ts',
        find: '      await runner.run(kind, order, run);\n',
        replace: `      const again = { ...order, id: this.#epoch === 1 ? orderId : \`\${orderId}-\${this.#epoch}\` };
      await runner.run(kind, kind === 'book' ? again : order, run);
`,
      },
    ],
  },
  {
    name: 'no instance takes over a package of a dead owner',
    edits: [
      {
        file: 'src/engine/actor/placement.ts',
        find: 'this.#takeovers.setOrphans(orphans, ',
        replace: 'void (orphans, ',
      },
    ],
  },
  {
    name: 'an email is erased while its order is being booked',
    edits: [{ file: 'src/domain/operator-changes.ts', find: 'if (isSettled(order) && ', replace: 'if (' }],
  },
  {
    name: 'a quota may fall below what is held and sold',
    edits: [
      {
        file: 'src/domain/operator-changes.ts',
        find: "  if (next.quota < held + confirmed) return 'quota_too_low';\n",
        replace: '',
      },
    ],
  },
  {
    name: 'a cancellation releases its unit at once',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: '    draft.move({ cancelling: 1 });\n',
        replace: '    draft.move({ confirmed: -1, remaining: 1 });\n',
      },
    ],
  },
  {
    name: "a disconnected caller's order is withdrawn in any status",
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: `    if (order?.status === 'queued' && order.key === undefined) this.#leave(order);
`,
        replace: `    if (order !== undefined) this.#leave(order);
`,
      },
    ],
  },
  {
    name: 'an order is shown without its email',
    edits: [
      {
        file: 'src/http/order-access.ts',
        find: `  return matches && id !== undefined ? order : undefined;
`,
        replace: `  return (matches || true) && id !== undefined ? order : undefined;
`,
      },
    ],
  },
  {
    name: 'a look-up with a wrong email reveals that the order exists',
    edits: [
      {
        file: 'src/http/api/orders.ts',
        find: `  if (order === undefined) throw new ProblemError('unknown_order');
`,
        replace: `  const exists = order === undefined && (await services.engine.order(id ?? '')) !== undefined;
  if (order === undefined) throw new ProblemError('unknown_order', exists ? { detail: 'Another email.' } : {});
`,
      },
    ],
  },
  {
    name: 'packages without an owner are looked for once a minute',
    edits: [
      {
        file: 'src/engine/actor/placement.ts',
        find: 'scanMs = 1_000',
        replace: 'scanMs = 60_000',
      },
    ],
  },
  {
    name: "the hotel gets the flight's number",
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: 'hotel: { reservationNumber }',
        replace: 'hotel: { reservationNumber: ticketNumber }',
      },
    ],
  },
  {
    name: 'units are claimed while the sale is paused',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: 'return this.#suppliersAvailable && isOnSale && inventory.remaining > 0 && isWithinMax;',
        replace: 'return this.#suppliersAvailable && inventory.remaining > 0 && isWithinMax;',
      },
    ],
  },
  {
    name: 'an email may have one order above the limit',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: 'return orders >= ordersPerEmail ?',
        replace: 'return orders > ordersPerEmail ?',
      },
    ],
  },
  {
    name: 'a withdrawn order stays in the queue',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: "return draft.answer(caller, { kind: 'accepted', order: this.#leave(order) });",
        replace: "return draft.answer(caller, { kind: 'accepted', order });",
      },
    ],
  },
  {
    name: 'held orders are compensated at a takeover',
    edits: [
      {
        file: 'src/engine/actor/package-actor.ts',
        find: "if (order.status !== 'queued') sagas.resume(order);",
        replace: `
      if (order.status === 'held')
        this.#shared.notify(state.package.id, {
          ...{ kind: 'needsCompensation', reason: 'supplier_silent', reserved: {}, orderId: order.id, epoch: state.epoch, events: [] },
        });
      else if (order.status !== 'queued') sagas.resume(order);`,
      },
    ],
  },
  {
    name: 'a claimed order loses its email',
    edits: [
      {
        file: 'src/domain/order.ts',
        find: "return held(order, log(order, at, 'claimed'), provider);",
        replace: "return held({ ...order, email: '' }, log(order, at, 'claimed'), provider);",
      },
    ],
  },
  {
    name: 'the messages of a commit of unknown outcome are dropped',
    edits: [
      {
        file: 'src/engine/actor/activation.ts',
        find: 'mailbox.putBack(interrupted.rest);',
        replace: "if (interrupted.end !== 'doubt') mailbox.putBack(interrupted.rest);",
      },
    ],
  },
  {
    name: 'ages and deadlines are measured by a clock that jumps',
    edits: [
      {
        file: 'test/simulation/world.ts',
        find: 'monotonic: () => scheduler.now,',
        replace: 'monotonic: () => scheduler.now + host.clockOffsetMs,',
      },
    ],
  },
  {
    name: 'a refusal after an attempt with an unknown outcome owes no cancellation',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "answer.kind === 'refused' && (!isFirst || answer.afterUnknown === true);",
        replace: "answer.kind === 'refused' && !isFirst;",
      },
    ],
  },
  {
    name: 'a refusal of a resumed booking owes no cancellation',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "answer.kind === 'refused' && (!isFirst || answer.afterUnknown === true);",
        replace: "answer.kind === 'refused' && (isFirst || !isFirst) && answer.afterUnknown === true;",
      },
    ],
  },
  {
    name: 'a retry and a compensation in one batch both start a saga',
    edits: [
      {
        file: 'src/domain/package-state.ts',
        find: "    if (!this.#sagas.has(id)) this.#sagas.set(id, 'retry');\n",
        replace: "    this.effects.push({ kind: 'retry', order: this.order(id) as Order });\n",
      },
      {
        file: 'src/domain/package-state.ts',
        find: 'return [...sagas, ...this.#settledAnswers()];',
        replace: 'return [...this.#settledAnswers(), ...sagas];',
      },
      {
        file: 'src/saga/saga-runner.ts',
        find: '      if (result !== undefined) return notify(order.packageId, result);\n',
        replace: '      void notify;\n      void result;\n',
      },
      {
        file: 'src/saga/saga-runner.ts',
        find: "    former?.stop.abort('replaced');\n",
        replace: "    if (kind === 'book') former?.stop.abort('replaced');\n",
      },
      {
        file: 'src/saga/saga-runner.ts',
        find: '    if (former !== undefined) await former.ended;\n',
        replace: '',
      },
    ],
  },
  {
    name: 'the former saga of an order is not stopped',
    edits: [
      {
        file: 'src/saga/saga-runner.ts',
        find: "    former?.stop.abort('replaced');\n",
        replace: '',
      },
      {
        file: 'src/saga/saga-runner.ts',
        find: '    if (former !== undefined) await former.ended;\n',
        replace: '',
      },
    ],
  },
  ...plantedSupplierBugs,
  ...plantedPaymentBugs,
  ...plantedStorageBugs,
  ...plantedScaleBugs,
  {
    name: 'an instance that cannot own a package keeps it',
    edits: [
      {
        file: 'src/engine/actor/runtime.ts',
        find: '      if (leasedAt !== undefined && !isPassing) return this.#cannotOwn(id, leasedAt, error);\n',
        replace: '',
      },
    ],
  },
  ...plantedNoticeBugs,
];
