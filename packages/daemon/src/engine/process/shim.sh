#!/bin/sh
# Supervises one instance: starts its program, keeps the newest of what it prints in files, and records how it ended. It
# runs detached, outlives the daemon, and is copied beside the instances so that nothing of them runs out of a checkout.
# It is a script since one runs beside every demo: a shell and a dd, which copies the output, take 3 MB.
#
# Arguments: a nonce by which the daemon finds it, the instance's folder, how many bytes of output are kept, the
# program's folder, the program and its arguments. The environment is the program's.
most_files=8
folder=$2 file_bytes=$((($3 + most_files - 1) / most_files)) program_folder=$4
shift 4
block=65536
newline='
'

# A signal goes to the whole process group, so the program gets it too. The shim waits for the program, which does not
# inherit this, as it would if the signals were ignored here.
trap : TERM INT HUP

# Its own tools are also where systems have them, but the program gets the PATH that it was given.
program_path=$PATH
PATH=$PATH:/usr/bin:/bin

cd "$folder" || exit
mkfifo -m 600 output || exit
(PATH=$program_path && cd "$program_folder" && exec "$@") >output 2>&1 </dev/null &
program=$!
# From here on they are ignored, by all that the shim starts too: the program may print until its end.
trap '' TERM INT HUP
exec <output
rm output

# Prints the report of a dd that appends at most so many bytes of the output to a file. It writes each piece before it
# reads the next, so the program waits for the disk.
copy() {
  umask 077
  export LC_ALL=C
  # Only some can count bytes. Others count pieces, which may be small.
  dd if=/dev/null iflag=count_bytes 2>/dev/null && exec dd bs=$block iflag=count_bytes count="$1" 2>&1 >>"$2"
  exec dd bs=$block count=$(($1 / block + 1)) 2>&1 >>"$2"
}

# Files are named by the offset of their first byte. The oldest are removed.
start=0 bytes=0
while :; do
  file=$(printf 'output-%016d' $start)
  report=$(copy $((file_bytes - bytes)) "$file")
  case $?$report in
    '00+0 records in'*) break ;;
    *' records in'*) ;;
    # The file cannot be written. This piece of the output is lost, the program goes on, and the next is tried again.
    *) [ "$(dd bs=$block count=1 2>/dev/null | wc -c)" -eq 0 ] && break ;;
  esac
  copied=${report##*"$newline"}
  copied=${copied%% *}
  case $copied in '' | *[!0-9]*) copied=0 ;; esac
  bytes=$((bytes + copied))
  [ $bytes -lt "$file_bytes" ] && continue
  start=$((start + bytes)) bytes=0
  set -- output-*
  while [ $# -ge $most_files ]; do
    rm -f "$1"
    shift
  done
done

wait $program
printf '{"code":%d,"at":"%s"}' $? "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >exit.json.new && mv exit.json.new exit.json
