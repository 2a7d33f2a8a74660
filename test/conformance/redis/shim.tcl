# Behind the client of the suite: what its tests do to the server as its administrator, or ask of its inside, goes to the
# servers themselves, which is not what an ambassador is for. The ports of all of them are in AMBASSADOR_SERVERS; the answer
# given is the first one's that is no error, since of a key only one knows, with the blocked clients of all.
if {[info exists ::env(AMBASSADOR_SERVERS)]} {
    rename ::redis::__dispatch__ ::redis::to_the_proxy

    proc ::redis::administers {method} {
        expr {$method in {config debug info}}
    }

    proc ::redis::to_every_server {method argv} {
        set answers {}
        set blocked 0
        foreach port $::env(AMBASSADOR_SERVERS) {
            if {![info exists ::redis::administrator($port)]} {
                set ::redis::administrator($port) [redis 127.0.0.1 $port]
            }
            set name [string range $::redis::administrator($port) [string length "::redis::redisHandle"] end]
            set failed [catch {::redis::to_the_proxy $name $method {*}$argv} answer]
            lappend answers [list $failed $answer]
            if {[regexp {blocked_clients:(\d+)} $answer -> here]} {incr blocked $here}
        }
        lassign [lindex [lsort -integer -index 0 $answers] 0] failed answer
        return -code $failed [regsub {blocked_clients:\d+} $answer blocked_clients:$blocked]
    }

    proc ::redis::blocked_clients {} {
        regexp {blocked_clients:(\d+)} [::redis::to_every_server info clients] -> blocked
        return $blocked
    }

    # A client that reads its answers later has to get this one from its own connection, too. Some tests take for granted
    # that XREADGROUP has blocked before what another client does next: through the proxy the two go by connections of
    # their own, of which the first may have to be made. One that need not block costs a second.
    proc ::redis::__dispatch__ {id method args} {
        if {[::redis::administers $method] && !$::redis::deferred($id) && $::redis::blocking($id)} {
            return [::redis::to_every_server $method $args]
        }
        set waits [expr {$method eq "xreadgroup" && $::redis::deferred($id)}]
        if {$waits} {set before [::redis::blocked_clients]}
        set result [uplevel 1 [list ::redis::to_the_proxy $id $method {*}$args]]
        for {set i 0} {$waits && $i < 100 && [::redis::blocked_clients] <= $before} {incr i} {after 10}
        return $result
    }
}
