/** Labels of the order button, which a page and its script set. */
export const englishButtons = {
  order: 'Order',
  joinQueue: 'Join the queue',
  soldOut: 'Sold out',
  closed: 'Sale closed',
  paused: 'Paused',
};

/** The English texts of the scripts in `public/`, by script. A name in braces stands for a value. */
export const englishScripts = {
  locale: 'en-GB',
  page: {
    askAgain: 'No answer yet. Ask again',
    mayAskAgain: 'There is no answer yet. You can press the button again: it counts once.',
    copied: 'Copied',
    notCopied: 'Not copied',
    couldNotCopy: 'Could not copy',
    days: '{days} d {time}',
  },
  live: {
    live: 'Live',
    reconnecting: 'Reconnecting',
    asOf: 'As of {time}',
  },
  order: {
    ...englishButtons,
    opens: 'Opens {moment}',
    opensIn: 'Opens in {countdown}',
  },
  result: {
    position: 'You are number {position} in the queue.',
    lastMinute: 'One minute left to pay.',
  },
  dialog: {
    countsOnce: 'Your order counts once, however often it is sent.',
    offline: 'You are offline',
    offlineText: 'Your order will be sent when the connection is back.',
    sending: 'Sending your order…',
    noAnswer: 'No answer yet',
    noAnswerText: 'We cannot reach the shop at the moment. We keep trying.',
    wait: 'Please wait',
    sentAgainIn: 'We will send your order again in {wait}.',
    orderAgainIn: 'You can order again in {wait}.',
    notTaken: 'Your order was not taken',
    mayHaveArrived: 'Look under My orders whether your order arrived.',
    nothingBooked: 'Nothing was booked.',
    looking: 'Looking for your order…',
    lookingText: 'You sent an order, and its answer did not arrive.',
    lookingOffline: 'You are offline. We look for it when the connection is back.',
    notSent: 'Your order was not sent',
    notArrived: 'Your order has not reached us',
    trip: '{trip}, for {email}.',
    sendNow: 'You can send it now.',
    sendAgain: 'You can send it again.',
  },
  purchase: {
    close: 'Close',
    tryNow: 'Try now',
    sendNow: 'Send it now',
    sendAgain: 'Send it again',
    doNotSend: 'Do not send it',
    stopTrying: 'Stop trying',
    notTaken: 'Your order was not taken. Nothing was booked.',
    notSent: 'Your order was not sent.',
  },
};
