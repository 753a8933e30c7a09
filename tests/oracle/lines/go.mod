module fromguard.dev/oracle/lines

go 1.26.0
