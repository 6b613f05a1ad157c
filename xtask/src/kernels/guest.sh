#!/bin/busybox sh
# All that a guest does, as its first process: `cargo xtask kernels` boots a kernel
# with it, and judges what comes back through the second serial port.
#
# /clients has a line for each client: name, side, and the program with its
# arguments. Everything that is learnt is left in /results, one file a thing.

/bin/busybox --install -s /bin
export PATH=/bin HOME=/ LC_ALL=C NO_COLOR=1 SSL_CERT_FILE=/etc/ssl/sink.pem

# How long anything may take, in seconds: programs run many times slower than on
# hardware, and a client that hangs must leave time for the rest.
PATIENCE=60
RESULTS=/results
CGROUP=/sys/fs/cgroup/watched

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /tmp
ip link set lo up
mkdir -p "$RESULTS" "$CGROUP" /var/lib/phiwatch

say() {
    echo "guest: $*" > /dev/console
}

# Hundredths of a second since the boot.
now() {
    read -r up _ < /proc/uptime
    echo "${up%.*}${up#*.}"
}

# Tries a command until it succeeds.
until_well() {
    local deadline=$(($(now) + PATIENCE * 100))
    until "$@" > /dev/null 2>&1; do
        [ "$(now)" -lt $deadline ] || return 1
        sleep 0.05
    done
}

status() {
    echo "$1 $2" >> "$RESULTS/status"
}

journal_lines() {
    wc -l < "$RESULTS/journal"
}

# Runs a client to its end, on its side of the scope.
client() {
    local name=$1 side=$2
    shift 2
    say "$name"
    (
        [ "$side" = watched ] && echo 0 > "$CGROUP/cgroup.procs"
        read -r pid _ < /proc/self/stat
        echo "$name $pid" >> "$RESULTS/pids"
        exec timeout $PATIENCE "$@"
    ) > "$RESULTS/out.$name" 2> "$RESULTS/err.$name"
    status "$name" $?
}

# The same, for one that stays until its input ends: what phiwatch holds meanwhile.
held_client() {
    mkfifo /tmp/hold
    client "$@" < /tmp/hold &
    local held=$!
    exec 3> /tmp/hold
    until_well grep open "$RESULTS/out.$1"
    cat /proc/$phiwatch/fdinfo/* > "$RESULTS/links"
    ls -l /proc/$phiwatch/fd > "$RESULTS/descriptors"
    exec 3>&-
    wait $held
}

uname -r > "$RESULTS/release"

# Before tracefs is mounted, so that phiwatch has to do it by itself.
say doctor
timeout $PATIENCE phiwatch doctor > "$RESULTS/doctor" 2>&1
status doctor $?
mount -t tracefs tracefs /sys/kernel/tracing

# The library is hooked in a process while the sink lets it wait for a handshake.
for port in 443 8443; do
    sink --port $port --log "$RESULTS/sink.$port" --certificate /etc/ssl/sink.pem \
        --key /etc/ssl/sink.key --distance 1000 > "$RESULTS/sink.$port.out" 2>&1 &
    until_well grep ready "$RESULTS/sink.$port.out"
done
nc -ll -p 80 -e /bin/answer > /dev/null 2>&1 &

say phiwatch
before=$(now)
PHIWATCH_LOG=info phiwatch run --config /etc/phiwatch.toml --cgroup "$CGROUP" \
    --journal "$RESULTS/journal" > "$RESULTS/log" 2>&1 &
phiwatch=$!
until_well wget -q -O - http://127.0.0.1:9765/-/ready
status ready $?
status start_centiseconds $(($(now) - before))

while read -r line; do
    # Words of the table, which have no spaces in them.
    case $line in
        held*) held_client $line ;;
        *) client $line < /dev/null ;;
    esac
done < /clients

# Whatever is still on its way.
lines=-1
while [ "$lines" != "$(journal_lines)" ]; do
    lines=$(journal_lines)
    sleep 3
done
wget -q -O "$RESULTS/metrics" http://127.0.0.1:9765/metrics

before=$(now)
kill -TERM $phiwatch
wait $phiwatch
status phiwatch $?
status stop_centiseconds $(($(now) - before))

dmesg > "$RESULTS/dmesg"
say results
stty -F /dev/ttyS1 raw
tar -C "$RESULTS" -cz . > /dev/ttyS1
reboot -f
