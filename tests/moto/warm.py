"""The AWS CLI without its start: a server loads it once and forks for each call.

Some thousand calls of a second's start each would make the proof take an hour. It is the CLI's own code, with the arguments,
environment, folder, input and output of the caller.

    python warm.py serve SOCKET      loads the CLI, prints `ready`, and waits
    python warm.py SOCKET WORDS...   what `aws WORDS...` does
"""
import json
import os
import socket
import sys


def serve(path):
    import signal

    import awscli.clidriver

    # What the first call of each service loads.
    session = awscli.clidriver.create_clidriver().session
    for service in ("cloudtrail", "cloudwatch", "config", "ec2", "iam", "kms", "logs", "s3", "s3control", "sns", "sts"):
        session.get_service_data(service)
    # S3's calls about an account ask `<account>.127.0.0.1`, a name that nobody knows.
    find = socket.getaddrinfo
    loopback = "127.0.0.1"
    socket.getaddrinfo = lambda host, *more, **named: find(
        loopback if isinstance(host, str) and host.endswith(f".{loopback}") else host, *more, **named
    )
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen(16)
    print("ready", flush=True)
    while True:
        call, _ = server.accept()
        if os.fork() == 0:
            server.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os._exit(answer(call))
        call.close()


def answer(call):
    """Runs one call; 0 when the caller was told how it ended."""
    import awscli.clidriver

    text, files, _, _ = socket.recv_fds(call, 1 << 20, 3)
    while not text.endswith(b"\n"):
        text += call.recv(1 << 20)
    asked = json.loads(text)
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(at, "w" if at else "r", closefd=False) for at in range(3))
    os.chdir(asked["folder"])
    # Where the CLI has its own data, it says to itself by the environment.
    data = os.environ.get("AWS_DATA_PATH")
    os.environ.clear()
    os.environ.update(asked["environment"])
    if data:
        os.environ.setdefault("AWS_DATA_PATH", data)
    sys.argv = ["aws", *asked["words"]]
    try:
        code = awscli.clidriver.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    call.sendall(b"%d" % code)
    return 0


def ask(path, words):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as call:
        call.connect(path)
        asked = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}
        text = json.dumps(asked).encode() + b"\n"
        sent = socket.send_fds(call, [text], [0, 1, 2])
        call.sendall(text[sent:])
        return int(call.recv(16) or b"255")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
