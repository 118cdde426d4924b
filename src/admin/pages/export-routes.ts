import type { Hono } from 'hono';
import { type Html, markup } from '../../http/pages/markup.ts';
import type { FieldError } from '../../http/problem.ts';
import { check } from '../../http/request.ts';
import { defined } from '../../lib/defined.ts';
import { ordersFile, reconciliationFile } from '../api/csv-files.ts';
import { exportQuery } from '../api/requests.ts';
import { sendCsv } from '../api/send-csv.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  show,
  showRefused,
} from './context.ts';
import { field } from './field.ts';
import { statusWords } from './format.ts';
import { type AdminPageParts, heading } from './layout.ts';

/** `/admin/export`: orders and the reconciliation as CSV files. */
export function exportRoutes(deps: AdminDeps): Hono<AdminEnv> {
  const { audits } = deps.service;
  return adminRouter()
    .get('/admin/export', (c) => show(c, deps, exportPage(enteredIn(c))))
    .get('/admin/export/orders.csv', (c) => exportOrders(c, deps))
    .get('/admin/export/reconciliation.csv', (c) =>
      sendCsv(
        c,
        reconciliationFile(() => audits.reconcile()),
        { ...deps, by: c.var.operator },
      ),
    );
}

/** The filter of an export, as the operator entered it. */
interface ExportFields {
  readonly package: string;
  readonly status: string;
  readonly from: string;
  readonly to: string;
}

async function exportOrders(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const entered = enteredIn(c);
  const given = Object.fromEntries(Object.entries(entered).filter(([, text]) => text !== ''));
  const query = check(exportQuery, given);
  if ('errors' in query) {
    return showRefused(c, deps, 'invalid', exportPage(entered, query.errors.map(inWords)));
  }
  const { package: packageId, ...rest } = query.value;
  const open = () => deps.service.orders.exportPages({ ...rest, ...defined({ packageId }) });
  const file = ordersFile(open, deps.settings.currency);
  return sendCsv(c, file, { ...deps, by: c.var.operator });
}

/** The API's words about a package are those of the customers' form. */
function inWords(error: FieldError): FieldError {
  return error.path === 'package' ? { ...error, message: 'must be a whole number, 1 or more' } : error;
}

function enteredIn(c: AdminContext): ExportFields {
  const { package: packageText = '', status = '', from = '', to = '' } = c.req.query();
  return { package: packageText.trim(), status, from: from.trim(), to: to.trim() };
}

function exportPage(entered: ExportFields, errors: readonly FieldError[] = []): AdminPageParts {
  return {
    title: 'Export',
    current: 'export',
    main: markup`
      ${heading('Export')}
      ${ordersCard(entered, errors)}
      <section class="card form form-wide" aria-labelledby="reconciliation">
        <h2 id="reconciliation">Reconciliation</h2>
        <p>Every order against the flights and nights that the suppliers have reserved for it, differences first. It reads all orders twice, so it takes its time.</p>
        <a class="button quiet" href="/admin/export/reconciliation.csv">Download the reconciliation</a>
      </section>`,
  };
}

/** The form leaves the page as it is and can be sent again, because page.js lets forms with GET alone. */
function ordersCard(entered: ExportFields, errors: readonly FieldError[]): Html {
  const option = (value: string, label: string) =>
    markup`<option value="${value}"${value === entered.status ? markup` selected` : ''}>${label}</option>`;
  const utc = 'In UTC. Leave empty for no limit.';
  return markup`
    <form class="card form form-wide" method="get" action="/admin/export/orders.csv">
      <h2>Orders</h2>
      <div class="field-row">
        ${field({ name: 'package', label: 'Package', value: entered.package, type: 'number', min: 1, note: 'Leave empty for all packages.' }, errors)}
        <div class="field"><label for="status">Status</label>
          <select id="status" name="status">
            ${option('', 'Any')}
            ${Object.entries(statusWords).map(([value, label]) => option(value, label))}
          </select></div>
        ${field({ name: 'from', label: 'Ordered from', value: entered.from, type: 'date', note: utc }, errors)}
        ${field({ name: 'to', label: 'Ordered before', value: entered.to, type: 'date', note: utc }, errors)}
      </div>
      <p class="field-note">A CSV file in UTF-8, with the customers’ emails. A text that could be read as a formula has an apostrophe in front.</p>
      <button class="button primary" type="submit"><span class="button-label">Download the orders</span></button>
    </form>`;
}
