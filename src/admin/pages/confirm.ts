import type { Hono } from 'hono';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Result } from '../../engine/operated-engine.ts';
import { type Html, markup } from '../../http/pages/markup.ts';
import { type AdminContext, type AdminDeps, type AdminEnv, show } from './context.ts';
import type { AdminSection } from './layout.ts';

export interface ConfirmParts {
  /** For example `Pause package 3?` */
  readonly question: string;
  /** Describes the target without its number, so that the operator notices a mistyped number. */
  readonly subject?: string;
  /** The effects of the action, the most important first. */
  readonly effects: readonly string[];
  /** The URL that the form is sent to. */
  readonly action: string;
  /** Hidden fields of the form. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The label of the button that starts the action. Absent, like the button, if the action is impossible now. */
  readonly yes?: string;
  readonly isDangerous?: boolean;
  /** The URL of the link beside the button. */
  readonly back: string;
  readonly backLabel?: string;
}

/** The page that an operator sees before an action. It names the effects, with numbers. */
export function confirmStep(parts: ConfirmParts): Html {
  const { question, subject, effects, action, fields = {}, yes, isDangerous = true, back } = parts;
  const { backLabel = yes === undefined ? 'Back' : 'Leave it as it is' } = parts;
  const inputs = Object.entries(fields).map(
    ([name, value]) => markup`<input type="hidden" name="${name}" value="${value}" autocomplete="off">`,
  );
  return markup`
    <section class="card confirm-step">
      <div><h1>${question}</h1>${subject === undefined ? '' : markup`<p class="confirm-subject" dir="auto">${subject}</p>`}</div>
      <ul class="effects">${effects.map((effect) => markup`<li>${effect}</li>`)}</ul>
      <div class="confirm-actions">
        ${
          yes === undefined
            ? ''
            : markup`
              <form method="post" action="${action}" data-changes>
                ${inputs}
                <button class="button ${isDangerous ? 'danger-solid' : 'primary'}" type="submit" data-busy="One moment…"><span class="button-label">${yes}</span></button>
              </form>`
        }
        <a class="button quiet" href="${back}">${backLabel}</a>
      </div>
    </section>`;
}

/** An action on the package, order or instance that the URL names. */
export interface PageAction<Subject, Value> {
  /** For example `/admin/packages/:id/pause`. */
  readonly path: string;
  /** @throws ProblemError if there is no such subject. */
  readonly load: (c: AdminContext) => Promise<Subject>;
  /** The page that GET shows. Absent for a harmless action. */
  readonly step?: (subject: Subject) => Omit<ConfirmParts, 'action'> & {
    /** The title of the page. Default: the question. */
    readonly title?: string;
    readonly current?: AdminSection;
  };
  readonly run: (c: AdminContext, subject: Subject) => Promise<Result<Value>>;
  /** Shows that the action was done, usually by a redirect with a notice. */
  readonly done: (c: AdminContext, subject: Subject, value: Value) => Promise<Response>;
  /** Shows why the action was refused. */
  readonly refused: (c: AdminContext, subject: Subject, code: ErrorCode) => Promise<Response> | Response;
}

/** Serves an action: GET shows its effects, POST carries it out. */
export function serveAction<Subject, Value>(
  routes: Hono<AdminEnv>,
  deps: AdminDeps,
  { path, load, step, run, done, refused }: PageAction<Subject, Value>,
): void {
  if (step !== undefined) {
    routes.get(path, async (c) => {
      const { title, current, ...parts } = step(await load(c));
      const main = confirmStep({ ...parts, action: c.req.path });
      const shown = title ?? parts.question.replace(/\?$/, '');
      return show(c, deps, { title: shown, main, ...(current && { current }) });
    });
  }
  routes.post(path, async (c) => {
    const subject = await load(c);
    const result = await run(c, subject);
    if (result.kind === 'refused') return refused(c, subject, result.code);
    return done(c, subject, result.value);
  });
}
