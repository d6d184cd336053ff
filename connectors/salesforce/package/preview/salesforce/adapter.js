/** A wire adapter that answers each question by `answer(config)`, and again whenever the page's record changes. */
const asking = new Set();

export function adapter(answer) {
    return class {
        constructor(give) {
            this.give = give;
        }

        connect() {
            asking.add(this);
        }

        update(config) {
            this.config = config;
            this.tell();
        }

        disconnect() {
            asking.delete(this);
        }

        tell() {
            const told = Object.values(this.config).includes(undefined) ? null : answer(this.config);
            if (told) {
                Promise.resolve().then(() => this.give({ data: undefined, error: undefined, ...told }));
            }
        }
    };
}

export function tellAll() {
    asking.forEach((each) => each.tell());
}
