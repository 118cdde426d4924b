/** A segment that no email hides in, escaped or not. */
const plain = /^[\w.:-]*$/;
const orderId = /(?<=\/orders\/)[0-9A-Za-z]{4}(?:-[0-9A-Za-z]{4}){3}(?=\/|$)/;

/** The path of a request's address as a log may show it: without its query, and without what might be an email. */
export function redactedPath(url: string): string {
  const [path = ''] = url.split(/[?#]/, 1);
  return path
    .slice(0, 200)
    .split('/')
    .map((segment) => (plain.test(segment) ? segment : '(hidden)'))
    .join('/');
}

/** The order that a path is about. */
export function orderIdInPath(path: string): { readonly orderId?: string } {
  const id = orderId.exec(path)?.[0];
  return id === undefined ? {} : { orderId: id.toUpperCase() };
}
