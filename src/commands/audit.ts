import { audit } from '../audit/audit.ts';
import type { AuditReport, Finding } from '../audit/audit-report.ts';
import { openStore } from '../compose/store.ts';
import { ledgerOf } from '../compose/suppliers.ts';
import { readSettings } from '../config/config.ts';
import { flag, type OptionValues, runCommand, whole } from '../lib/command-line.ts';

const options = {
  json: flag('Print the report as JSON.'),
  'clock-skew-ms': whole(
    'ms',
    'How far apart the clocks of instances may be before a claim counts as unfair.',
    {
      default: 0,
    },
  ),
};

const command = {
  name: 'npm run audit',
  about:
    'Holds everything stored against the promises: no unit lost or sold twice (Q1, Q3), units by number (Q5), one\n' +
    'order per key (Q7), no reservation without an order and none missing (Q8). It only reads, beside a running\n' +
    'server too. The store is the one that DATABASE_URL names; the suppliers are the simulated ones inside, or those\n' +
    'at SUPPLIERS_URL, whose ledger opens with SUPPLIERS_TOKEN.\n' +
    'Exits 0 when nothing is wrong, 1 with every finding named, 2 when it could not be done.',
  options,
};

async function run({ json, 'clock-skew-ms': clockSkewMs }: OptionValues<typeof options>): Promise<number> {
  const config = readSettings();
  const store = await openStore(config.database, { readOnly: true });
  const progress = showProgress();
  try {
    const suppliers = await ledgerOf(config.suppliers, store.ledger);
    const report = await audit(store, {
      clockSkewMs,
      onProgress: progress.show,
      ...(suppliers ? { suppliers } : {}),
    });
    progress.clear();
    console.log(json ? JSON.stringify(report, undefined, 2) : inWords(report));
    return report.ok ? 0 : 1;
  } finally {
    progress.clear();
    await store.close();
  }
}

/** On a terminal, one line with the counts so far. */
function showProgress() {
  const { stderr } = process;
  let isShown = false;
  return {
    show({ orders, reservations }: { orders: number; reservations: number }) {
      if (!stderr.isTTY) return;
      isShown = true;
      stderr.write(`\r${orders} orders, ${reservations} reservations read\u001b[K`);
    },
    clear() {
      if (isShown) stderr.write('\r\u001b[K');
      isShown = false;
    },
  };
}

function inWords(report: AuditReport): string {
  const { findings, packages, orders, reservations, publicReservations, inMotion, suppliersRead } = report;
  const read = [count(packages, 'package'), count(orders, 'order')];
  if (suppliersRead) read.push(`${count(reservations, 'active reservation')} at the suppliers`);
  const notes = [
    ...(publicReservations > 0
      ? [`${count(publicReservations, 'reservation')} made by the public, which belong to no order.`]
      : []),
    ...(suppliersRead
      ? []
      : ["The suppliers' ledger was not read: SUPPLIERS_URL does not open it without SUPPLIERS_TOKEN."]),
    ...(inMotion.length > 0
      ? [`Changing all the while, so their figures were not judged: packages ${inMotion.join(', ')}.`]
      : []),
  ];
  const verdict = findings.length === 0 ? 'nothing is wrong' : count(findings.length, 'finding');
  return [...findings.map(line), `${read.join(', ')}: ${verdict}.`, ...notes].join('\n');
}

function line({ rule, packageId, orderId, message }: Finding): string {
  const place = [
    ...(packageId === undefined ? [] : [`package ${packageId}`]),
    ...(orderId === undefined ? [] : [`order ${orderId}`]),
  ].join(', ');
  return `${rule} ${place}: ${message}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

if (import.meta.main) await runCommand(command, run);
