# Behind the client of the suite: what its tests do to the server as its administrator, or ask of its inside, goes to the
# servers themselves, which is not what an ambassador is for. The ports of all of them are in AMBASSADOR_SERVERS; the first
# one's answer is given.
if {[info exists ::env(AMBASSADOR_SERVERS)]} {
    rename ::redis::__dispatch__ ::redis::to_the_proxy

    proc ::redis::administers {method} {
        expr {$method in {config debug info}}
    }

    proc ::redis::to_every_server {method argv} {
        set answers {}
        foreach port $::env(AMBASSADOR_SERVERS) {
            if {![info exists ::redis::administrator($port)]} {
                set ::redis::administrator($port) [redis 127.0.0.1 $port]
            }
            set name [string range $::redis::administrator($port) [string length "::redis::redisHandle"] end]
            lappend answers [catch {::redis::to_the_proxy $name $method {*}$argv} answer] $answer
        }
        lassign $answers failed answer
        return -code $failed $answer
    }

    # A client that reads its answers later has to get this one from its own connection, too.
    proc ::redis::__dispatch__ {id method args} {
        if {[::redis::administers $method] && !$::redis::deferred($id) && $::redis::blocking($id)} {
            return [::redis::to_every_server $method $args]
        }
        return [uplevel 1 [list ::redis::to_the_proxy $id $method {*}$args]]
    }
}
