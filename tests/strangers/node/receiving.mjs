// Hands messages to a handler until it answers true, then closes the subscription, which sends the acks that wait.
export async function receive(subscription, handle) {
  await new Promise((resolve, reject) => {
    subscription.on("error", reject);
    subscription.on("message", (message) => {
      Promise.resolve(handle(message)).then((enough) => enough && resolve(), reject);
    });
  });
  await subscription.close();
}
