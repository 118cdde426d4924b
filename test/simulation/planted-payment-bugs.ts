import type { PlantedBug } from './planted-bug.ts';

/** Bugs of payments. */
export const plantedPaymentBugs: readonly PlantedBug[] = [
  {
    name: 'an order is confirmed without its payment',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "if (order.payment === undefined) return steps.report({ kind: 'booked', reserved });",
        replace: "if (reserved.flight !== undefined) return steps.report({ kind: 'booked', reserved });",
      },
    ],
  },
  {
    name: 'an event of the provider counts as a payment',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: 'const found = await suppliers.findPayment(lookUp, signal, isUrgent);',
        replace: "const found = isUrgent ? 'paid' : await suppliers.findPayment(lookUp, signal, false);",
      },
    ],
  },
  {
    name: 'an event without a right signature is accepted',
    edits: [
      {
        file: 'src/http/api/payment-events.ts',
        find: '    if (wrong !== undefined) {\n',
        replace: '    if (wrong !== undefined && payments.verify === undefined) {\n',
      },
    ],
  },
  {
    name: 'the tickets of an unpaid order are cancelled, but not its payment',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: `    order.payment &&
      cancelUntilDone('payments', order, options).then(() => steps.noteCancelled(order, 'payment')),
`,
        replace: '',
      },
    ],
  },
  {
    name: 'a unit is released before its payment is void',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: `    order.payment &&
      cancelUntilDone('payments', order, options).then(() => steps.noteCancelled(order, 'payment')),
  ]);
`,
        replace: `  ]);
  if (order.payment !== undefined) void cancelUntilDone('payments', order, options);
`,
      },
    ],
  },
  {
    name: 'the payment of an unpaid order is void, but its unit is kept',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: `      this.#updateAndTell(to.compensated(order, this.#now, events));
      return this.#releaseUnit({ held: -1 });
`,
        replace: `      this.#updateAndTell(to.compensated(order, this.#now, events));
      if (to.mayHave('payment', order)) return;
      return this.#releaseUnit({ held: -1 });
`,
      },
    ],
  },
  {
    name: 'a refund that failed is given up',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: '    if (await suppliers.cancel(kind, request, signal, isUrgent)) return;\n',
        replace: `    if ((await suppliers.cancel(kind, request, signal, isUrgent)) || kind === 'payments') return;
`,
      },
    ],
  },
  {
    name: 'an order whose tickets are being cancelled is confirmed by a late payment',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: `  const steps = new Steps(options);
  await Promise.all([
`,
        replace: `  const steps = new Steps(options);
  if (order.payment !== undefined && order.status === 'compensating') {
    const asked = { key: order.id, packageId: order.packageId, ...order.payment };
    const found = await options.suppliers.findPayment(asked, options.signal);
    if (found === 'paid') return steps.end('paid', { kind: 'paid' });
  }
  await Promise.all([
`,
      },
      {
        file: 'src/domain/messages.ts',
        find: "  paid: ['payable'],\n",
        replace: "  paid: ['payable', 'compensating'],\n",
      },
    ],
  },
  {
    name: 'a booking that runs again requests another payment',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: `  { id: key, packageId, email }: Order,
  { amount, currency, provider }: Payment,
  reserved: Required<Reserved>,
  steps: Steps,
  { suppliers, signal, isUrgent }: SagaOptions,
): Promise<void> {
  const request = { key, packageId, email, amount, currency, provider };
`,
        replace: `  { id, packageId, email }: Order,
  { amount, currency, provider }: Payment,
  reserved: Required<Reserved>,
  steps: Steps,
  { suppliers, signal, isUrgent, isFirst }: SagaOptions,
): Promise<void> {
  const key = isFirst === true ? id : \`\${id}-again\`;
  const request = { key, packageId, email, amount, currency, provider };
`,
      },
    ],
  },
  {
    name: 'a payment that cannot be looked up counts as declined',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "    if (found === 'declined')\n",
        replace: "    if (found === 'declined' || (found === 'unknown' && !signal.aborted))\n",
      },
    ],
  },
  {
    name: 'an order expires without a last look-up',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: 'const found = await suppliers.findPayment(lookUp, signal, isUrgent);',
        replace: "const found = isExpired ? 'due' : await suppliers.findPayment(lookUp, signal, isUrgent);",
      },
    ],
  },
  {
    name: 'an order expires while its payment cannot be looked up',
    edits: [
      {
        file: 'src/saga/saga.ts',
        find: "    if (isVoid || (isExpired && found !== 'unknown'))\n",
        replace: '    if (isVoid || isExpired)\n',
      },
    ],
  },
  {
    name: 'a payment of another amount counts',
    edits: [
      {
        file: 'src/suppliers/resilient-suppliers.ts',
        find: 'if (!isOpen || (shown.amount === amount && shown.currency === currency)) return found.status;',
        replace: 'if (!isOpen || shown.amount !== undefined) return found.status;',
      },
    ],
  },
  {
    name: 'nobody waits for the payment of an order after a takeover',
    edits: [
      {
        file: 'src/engine/actor/package-actor.ts',
        find: "if (order.status !== 'queued') sagas.resume(order);",
        replace: "if (order.status !== 'queued' && order.status !== 'payable') sagas.resume(order);",
      },
    ],
  },
  {
    name: 'a payable order is booked again after a takeover',
    edits: [
      {
        file: 'src/saga/saga-runner.ts',
        find: '    this.#replace(sagaOf(order), order, {});\n',
        replace: "    this.#replace(order.status === 'payable' ? 'book' : sagaOf(order), order, {});\n",
      },
    ],
  },
  {
    name: 'the unit of a payable order goes to the next in the queue',
    edits: [
      {
        file: 'src/domain/decide.ts',
        find: `    this.#updateAndTell(to.requirePayment(order, this.#now, reserved, due, events));
`,
        replace: `    this.#updateAndTell(to.requirePayment(order, this.#now, reserved, due, events));
    this.#releaseUnit({ held: -1 });
`,
      },
    ],
  },
];
