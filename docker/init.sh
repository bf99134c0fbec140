#!/bin/sh
# The image's process 1: starts the command that it is given, and hands signals on to it.
#
# The kernel drops a signal for process 1 that has no handler yet, and Node.js on a busy machine takes a second and more to
# get there. A shell takes some milliseconds, and a command that is not process 1 is ended by what comes too early.
child= early=

forward() {
  if [ -n "$child" ]; then kill -s "$1" "$child" 2>/dev/null; else early=$1; fi
}

trap 'forward TERM' TERM
if [ -t 0 ]; then
  # The terminal gives Ctrl-C to the command by itself; a second one would end it at once.
  trap : INT HUP
else
  trap 'forward INT' INT
  trap 'forward HUP' HUP
fi

# What runs in the background gets /dev/null for its standard input; the own one is kept aside for it.
exec 3<&0
"$@" <&3 3<&- &
child=$!
[ -z "$early" ] || kill -s "$early" "$child"

# A signal ends `wait`, not the command.
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || exit "$code"
done
