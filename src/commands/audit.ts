import { type AuditProgress, audit } from '../audit/audit.ts';
import type { AuditReport, Finding } from '../audit/audit-report.ts';
import { openLedger } from '../audit/bounded-reads.ts';
import { openStore } from '../compose/store.ts';
import { ledgerOf } from '../compose/suppliers.ts';
import { readSettings } from '../config/config.ts';
import { flag, type OptionValues, runCommand, whole } from '../lib/command-line.ts';
import { ProgressLine } from '../lib/progress-line.ts';

const options = {
  json: flag('Print the report as JSON.'),
  progress: flag('Print the progress on stderr, also if it is no terminal.'),
  'page-timeout-s': whole('s', 'How long the store and the suppliers may take for one page.', {
    default: 30,
    min: 1,
  }),
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
    'Checks everything stored against the promises: no unit lost or sold twice (Q1, Q3), units by number (Q5), one\n' +
    'order per key (Q7), every order readable (Q6), no reservation without an order and none missing (Q8), no money\n' +
    'without tickets and no tickets without money (Q11). It only reads, also beside a\n' +
    'running server. The store is the one that DATABASE_URL names; the suppliers are the simulated ones inside, or those\n' +
    'at SUPPLIERS_URL, whose ledger opens with SUPPLIERS_TOKEN; so does that of PAYMENTS with PAYMENTS_TOKEN.\n' +
    'Exits 0 when nothing is wrong, 1 with every finding named, 2 when it could not be done; stderr says why.',
  options,
};

async function run(given: OptionValues<typeof options>): Promise<number> {
  const { json, progress: isProgressAsked, 'clock-skew-ms': clockSkewMs, 'page-timeout-s': timeoutS } = given;
  const config = readSettings();
  const store = await openStore(config.database, { readOnly: true });
  const limits = { pageTimeoutMs: timeoutS * 1_000 };
  const progress = new ProgressLine(isProgressAsked);
  try {
    progress.show('opening the ledger of the suppliers');
    const suppliers = await openLedger(ledgerOf(config, store.ledger), limits);
    const onProgress = (read: AuditProgress) => progress.show(progressText(read));
    const report = await audit(store, { ...limits, clockSkewMs, suppliers, onProgress });
    progress.clear();
    console.log(json ? JSON.stringify(report, undefined, 2) : inWords(report));
    return report.ok ? 0 : 1;
  } finally {
    progress.clear();
    await store.close();
  }
}

export function progressText(progress: AuditProgress): string {
  const { packages, packagesTotal, orders, ordersTotal, reservations } = progress;
  const total = ordersTotal === 0 ? '' : ` of ${ordersTotal}`;
  return `${packages} of ${packagesTotal} packages, ${orders}${total} orders, ${reservations} reservations read`;
}

function inWords(report: AuditReport): string {
  const { findings, packages, orders, reservations, publicReservations, inMotion, suppliersRead } = report;
  const { payments, paymentsElsewhere = 0 } = report;
  const read = [count(packages, 'package'), count(orders, 'order')];
  if (suppliersRead) read.push(`${count(reservations, 'active reservation')} at the suppliers`);
  if (payments !== undefined) read.push(`${count(payments, 'due or paid payment')} at the provider`);
  const notes = [
    ...(publicReservations > 0
      ? [`${count(publicReservations, 'reservation')} made by the public, which belong to no order.`]
      : []),
    ...(suppliersRead
      ? []
      : ["The suppliers' ledger was not read: SUPPLIERS_URL does not open it without SUPPLIERS_TOKEN."]),
    ...(paymentsElsewhere > 0
      ? [`${count(paymentsElsewhere, 'order')} not compared: another provider than PAYMENTS has the payment.`]
      : []),
    ...(inMotion.length > 0
      ? [`Changing all the while, so they were not checked: packages ${inMotion.join(', ')}.`]
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
