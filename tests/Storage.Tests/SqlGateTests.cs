using Sketch.Storage.Sql;

namespace Sketch.Tests.Storage;

[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class SqlGateTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private const string TableFunctions = "^(numbers|numbers_mt|zeros|generate_series|generateSeries|values|format|primes)$";

    private readonly Sql _sql = new(clickHouse.Process);
    private readonly Sql _writer = new(clickHouse.Process, writer: true);

    public static TheoryData<string> Attacks { get; } =
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT file('/etc/passwd')",
        "SELECT FILE('/etc/passwd')",
        "SELECT `file`('/etc/passwd')",
        "SELECT \"file\"('/etc/passwd')",
        "SELECT file/**/('/etc/passwd')",
        "SELECT file /* a /* nested */ comment */ ('/etc/passwd')",
        "SELECT file -- x\n('/etc/passwd')",
        "SELECT file // x\n('/etc/passwd')",
        "SELECT file # x\n('/etc/passwd')",
        "SELECT file #!x\n('/etc/passwd')",
        "SELECT 1 /* ' */, file('/etc/passwd') /* ' */",
        "SELECT '\\'', file('/etc/passwd'), '\\''",
        "SELECT '''', file('/etc/passwd')",
        "SELECT `f\\x69le`('/etc/passwd')",
        "SELECT $$a$$, file('/etc/passwd'), $$a$$",
        "SELECT ‘a’, file('/etc/passwd')",
        "SELECT file\u00A0('/etc/passwd')",
        "SELECT 1 WHERE (SELECT count() FROM (SELECT file('/etc/passwd'))) > 0",
        "WITH (SELECT file('/etc/passwd')) AS x SELECT x",
        "WITH file AS (SELECT 1) SELECT file('/etc/passwd')",
        "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
        "EXPLAIN SELECT file('/etc/passwd')",
        "SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS x)",
        "SELECT * APPLY file FROM (SELECT '/etc/passwd' AS x)",
        "SELECT * APPLY(`file`) FROM (SELECT '/etc/passwd' AS x)",
        "SELECT COLUMNS('x') APPLY(y -> file(y)) FROM (SELECT '/etc/passwd' AS x)",
        "SELECT * APPLY(unknownFunction) FROM (SELECT 1 AS x)",
        "SELECT arrayMap(file, ['/etc/passwd'])",
        "SELECT arrayMap(\"file\", ['/etc/passwd'])",
        "SHOW FULL PROCESSLIST",
        "DESCRIBE TABLE file('/etc/passwd', 'LineAsString')",
        "DESCRIBE (SELECT * FROM file('/etc/passwd'))",
        "SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
        "SELECT * FROM urlCluster('default', 'http://127.0.0.1/', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1', 'system.one')",
        "SELECT * FROM remoteSecure('127.0.0.1', 'system.one')",
        "SELECT * FROM cluster('default', 'system.one')",
        "SELECT * FROM s3('http://127.0.0.1/x', 'CSV')",
        "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "SELECT * FROM sqlite('{outside}', 'y')",
        "SELECT * FROM executable('id', 'CSV', 'a String')",
        "SELECT * FROM eval('SELECT 1')",
        "SELECT * FROM filesystem('/')",
        "SELECT * FROM merge('system', '.*')",
        "SELECT * FROM loop(system.one)",
        "SELECT * FROM dictionary('x')",
        "SELECT * FROM viewIfPermitted(SELECT 1 ELSE null('x UInt8'))",
        "SELECT * FROM generateRandom('a UInt64')",
        "SELECT * FROM input('a UInt64')",
        "SELECT * FROM fuzzJSON('x')",
        "SELECT 1 INTO OUTFILE '{outside}'",
        "SELECT 1 into/**/outfile '{outside}' FORMAT CSV",
        "SELECT .1INTO OUTFILE '{outside}'",
        "SHOW TABLES INTO OUTFILE '{outside}'",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE total_rows",
        "SELECT 1;;SELECT 2",
        "SELECT 1 PARALLEL WITH DROP TABLE total_rows",
        "INSERT INTO total_rows VALUES ('x', 1, 1)",
        "INSERT INTO FUNCTION file('{outside}') SELECT 1",
        "EXPLAIN INSERT INTO total_rows VALUES ('x', 1, 1)",
        "CREATE TABLE x (a UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE x (a UInt8)",
        "CREATE FUNCTION f AS x -> x",
        "ALTER TABLE total_rows DELETE WHERE 1",
        "DELETE FROM total_rows WHERE 1",
        "TRUNCATE TABLE total_rows",
        "DROP DATABASE sketch",
        "OPTIMIZE TABLE total_rows FINAL",
        "RENAME TABLE total_rows TO x",
        "EXCHANGE TABLES total_rows AND hourly_rows",
        "DETACH TABLE total_rows",
        "ATTACH TABLE total_rows",
        "SYSTEM SHUTDOWN",
        "SYSTEM STOP MERGES",
        "KILL QUERY WHERE 1",
        "SET readonly = 0",
        "USE system",
        "GRANT ALL ON *.* TO default",
        "BACKUP DATABASE sketch TO File('{outside}')",
        "CHECK TABLE total_rows",
        "SHOW PROCESSLIST",
        "SHOW GRANTS",
        "SHOW SETTINGS LIKE '%'",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_threads = 1, readonly = 0",
        "SELECT 1 SETTINGS `readonly` = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS max_execution_time = 100000",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SELECT 1 SETTINGS format_schema = '/etc/passwd'",
        "SELECT 1 SETTINGS output_format_schema = '{outside}'",
        "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
        "SELECT * FROM system.processes",
        "SELECT * FROM system.settings",
        "SELECT * FROM `system`.processes",
        "SELECT * FROM \"system\" . \"processes\"",
        "SELECT * FROM system/**/./**/processes",
        "SELECT * FROM sys\u200Btem.processes",
        "SELECT 1 IN system.processes",
        "SELECT count() FROM totals, system.parts",
        "SELECT * FROM default.`/etc/passwd`",
        "SELECT * FROM `/etc/passwd`",
        "SELECT * FROM '/etc/passwd'",
        "SELECT getSetting('max_threads')",
        "SELECT hostName()",
        "SELECT sleep(3)",
        "SELECT sleepEachRow(3) FROM numbers(3)",
        "SELECT dictGet('x', 'y', 1)",
        "SELECT joinGet('x', 'y', 1)",
        "SELECT hasColumnInTable('127.0.0.1', 'system', 'one', 'dummy')",
        "SELECT logTrace('x')",
        "SELECT evalMLMethod(1, 2)",
        "SELECT catboostEvaluate('/etc/passwd', 1)",
        "SELECT unhex('00')::AggregateFunction(quantileDD(0.01), Float64)",
        "SELECT fileIf('/etc/passwd', 1)",
        "SELECT * FROM {t:Identifier}",
        "SELECT unclosed('",
        "SELECT 1 /* unclosed",
        "SELECT * FROM (SELECT * FROM (SELECT * FROM file('/etc/passwd', 'LineAsString')))",
        "SELECT (SELECT (SELECT file('/etc/passwd')))",
        "SELECT count() FROM totals WHERE name IN (SELECT file('/etc/passwd'))",
        "SELECT * FROM totals WHERE EXISTS (SELECT file('/etc/passwd'))",
        "SELECT * FROM totals AS t INNER JOIN file('/etc/passwd', 'LineAsString') AS f ON t.name = f.line",
        "SELECT * FROM totals UNION ALL SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT 1 EXCEPT SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
        "SELECT 1 INTERSECT SELECT * FROM s3('http://127.0.0.1/x', 'CSV')",
        "WITH x AS (SELECT * FROM file('/etc/passwd', 'LineAsString')) SELECT * FROM x",
        "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x, file('/etc/passwd', 'LineAsString')) SELECT * FROM x",
        "WITH a AS (WITH b AS (SELECT file('/etc/passwd')) SELECT * FROM b) SELECT * FROM a",
        "WITH (x -> file(x)) AS f SELECT f('/etc/passwd')",
        "WITH 'file' AS f SELECT f('/etc/passwd')",
        "WITH 1 AS x INSERT INTO total_rows SELECT 'x', 1, 1",
        "EXPLAIN AST DROP TABLE total_rows",
        "EXPLAIN SYNTAX INSERT INTO total_rows SELECT 'x', 1, 1",
        "EXPLAIN PLAN SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "EXPLAIN PIPELINE SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
        "EXPLAIN ESTIMATE SELECT * FROM remote('127.0.0.1', 'system.one')",
        "EXPLAIN QUERY TREE SELECT file('/etc/passwd')",
        "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "EXPLAIN CURRENT TRANSACTION",
        "EXPLAIN KILL QUERY WHERE 1",
        "EXPLAIN SELECT 1 SETTINGS readonly = 0",
        "EXPLAIN SELECT 1 INTO OUTFILE '{outside}'",
        "DESCRIBE TABLE url('http://127.0.0.1/', 'LineAsString')",
        "DESC file('/etc/passwd', 'LineAsString')",
        "DESCRIBE TABLE system.users",
        "EXISTS TABLE system.users",
        "EXISTS DICTIONARY x; DROP TABLE total_rows",
        "SHOW CREATE TABLE system.users",
        "SHOW TABLES FROM system WHERE file('/etc/passwd') != ''",
        "SHOW CREATE USER default",
        "SHOW ACCESS",
        "SHOW USERS",
        "SHOW ROLES",
        "SHOW QUOTAS",
        "SHOW CLUSTERS",
        "SHOW FILESYSTEM CACHES",
        "SHOW ENGINES",
        "SHOW SETTING readonly",
        "FROM file('/etc/passwd', 'LineAsString') SELECT *",
        "FROM totals SELECT file('/etc/passwd')",
        "(SELECT file('/etc/passwd'))",
        "((SELECT 1)); DROP TABLE total_rows",
        "SELECT 1 -- \n; DROP TABLE total_rows",
        "SELECT 1 /*!; DROP TABLE total_rows */; DROP TABLE total_rows",
        "SELECT 1 #!\n; DROP TABLE total_rows",
        "SELECT '\\\\'; DROP TABLE total_rows; --'",
        "SELECT \"a\"\"; DROP TABLE total_rows; --\"",
        "SELECT `a``; DROP TABLE total_rows; --`; DROP TABLE total_rows",
        "SELECT '/*'; DROP TABLE total_rows /* '",
        "SELECT 1\u2028; DROP TABLE total_rows",
        "SELECT 1\uFF1B DROP TABLE total_rows",
        "\uFEFFDROP TABLE total_rows",
        "SELECT \uFF46ile('/etc/passwd')",
        "SELECT fil\u0065\u0301('/etc/passwd')",
        "SELECT f\u0131le('/etc/passwd')",
        "SELECT file\u2060('/etc/passwd')",
        "SELECT \u202Efile('/etc/passwd')",
        "SELECT file\0('/etc/passwd')",
        "SELECT $heredoc$ a $heredoc$, file('/etc/passwd')",
        "SELECT * FROM {db:Identifier}.{t:Identifier}",
        "SELECT {f:Identifier}('/etc/passwd')",
        "SELECT * FROM {t:identifier}",
        "SELECT 1 SETTINGS {s:String} = 0",
        "SELECT 1 SETTINGS allow_ddl = 1",
        "SELECT 1 SETTINGS max_threads = 1, max_result_rows = 0",
        "SELECT 1 SETTINGS max_result_bytes = 0",
        "SELECT 1 SETTINGS max_rows_to_read = 0",
        "SELECT 1 SETTINGS profile = 'default'",
        "SELECT 1 SETTINGS additional_table_filters = {'system.one': 'file(1)'}",
        "SELECT 1 SETTINGS output_format_sql_insert_table_name = 'x'",
        "SELECT 1 SETTINGS log_comment = 'x'",
        "SELECT * FROM (SELECT 1) SETTINGS max_execution_time = 0",
        "SELECT * FROM system.query_log",
        "SELECT * FROM system.backups",
        "SELECT * FROM system.disks",
        "SELECT * FROM system.server_settings",
        "SELECT * FROM system.named_collections",
        "SELECT * FROM system.users",
        "SELECT * FROM system.grants",
        "SELECT * FROM system.parts",
        "SELECT * FROM system.mutations",
        "SELECT * FROM SYSTEM.processes",
        "SELECT system.processes.query FROM system.processes",
        "SELECT * FROM _local.x",
        "SELECT dictGetOrDefault('x', 'y', 1, 2)",
        "SELECT getMacro('x')",
        "SELECT getServerSetting('path')",
        "SELECT getServerPort('tcp_port')",
        "SELECT filesystemAvailable()",
        "SELECT fqdn()",
        "SELECT showCertificate()",
        "SELECT initializeAggregation('file', '/etc/passwd')",
        "SELECT arrayReduce('file', ['/etc/passwd'])",
        "SELECT * REPLACE(file(x) AS x) FROM (SELECT '/etc/passwd' AS x)",
        "SELECT * EXCEPT(x) APPLY(file) FROM (SELECT '/etc/passwd' AS x, '/etc/passwd' AS y)",
        "SELECT x FROM (SELECT '/etc/passwd' AS x) WHERE file(x) != ''",
        "SELECT x FROM (SELECT '/etc/passwd' AS x) ORDER BY file(x)",
        "SELECT x FROM (SELECT '/etc/passwd' AS x) GROUP BY x HAVING file(x) != ''",
        "SELECT x FROM (SELECT '/etc/passwd' AS x) LIMIT length(file('/etc/passwd'))",
        "SELECT sum(1) OVER (PARTITION BY file('/etc/passwd'))",
        "SELECT if(1, file('/etc/passwd'), '')",
        "SELECT CASE WHEN 1 THEN file('/etc/passwd') END",
        "SELECT CAST(file('/etc/passwd') AS String)",
        "SELECT tuple(file('/etc/passwd')).1",
        "SELECT [file('/etc/passwd')][1]",
        "SELECT map('a', file('/etc/passwd'))['a']",
        "SELECT * FROM format(LineAsString, file('/etc/passwd'))",
        "SELECT * FROM values('x String', file('/etc/passwd'))",
        "SELECT * FROM other.hourly_series(namespace='a', name='b', since=now(), until=now())",
        "BEGIN TRANSACTION",
        "COMMIT",
        "EXECUTE AS default SELECT 1",
        "UNDROP TABLE total_rows",
        "MOVE TABLE total_rows TO x",
        "CREATE OR REPLACE VIEW totals AS SELECT 1",
        "CREATE DATABASE x",
        "CREATE USER x",
        "CREATE NAMED COLLECTION x AS a = 1",
        "ALTER USER default SETTINGS readonly = 0",
        "UPDATE total_rows SET value = 1 WHERE 1",
        "DROP VIEW live_values",
        "DROP FUNCTION sketchDistinct",
        "SYSTEM FLUSH LOGS",
        "SYSTEM RELOAD CONFIG",
        "RESTORE DATABASE sketch FROM File('x')",
        "VALUES (1)",
        "",
        ";",
    ];

    public static TheoryData<string, string> Questions { get; } = new()
    {
        { "SELECT 1", "1" },
        { "select 1;", "1" },
        { "/* a */ SELECT /* b */ 1 -- c", "1" },
        { "(SELECT 1)", "1" },
        { "WITH 1 AS one SELECT one + 1", "2" },
        { "SELECT 'file(' || 'x; INTO OUTFILE' -- file('x')", "file(x; INTO OUTFILE" },
        { "SELECT sumIf(number, number % 2 = 0) FROM numbers(10)", "20" },
        { "SELECT uniqExactOrNull(number), countIf(1) FROM numbers(10)", "10\t10" },
        { "SELECT quantile(0.5)(number) FROM numbers(11)", "5" },
        { "SELECT CAST('5' AS Nullable(UInt8)), '7'::Decimal(9, 2), toDate('2026-11-23')", "5\t7\t2026-11-23" },
        { "SELECT number FROM numbers(3) WHERE number IN (1, 2) ORDER BY number DESC LIMIT 1 BY number LIMIT 2", "2\n1" },
        { "SELECT a.number FROM numbers(2) AS a INNER JOIN (SELECT number FROM numbers(1)) AS b ON (a.number = b.number)", "0" },
        { "SELECT sum(number) OVER (ORDER BY number) AS s FROM numbers(3)", "0\n1\n3" },
        { "SELECT count() FROM numbers(10) GROUP BY GROUPING SETS ((number % 2)) ORDER BY count()", "5\n5" },
        { "SELECT CASE WHEN (1 = 1) THEN (2) ELSE (3) END", "2" },
        { "SELECT * APPLY(sum) FROM numbers(3)", "3" },
        { "SELECT * APPLY(x -> x + 1) FROM numbers(2)", "1\n2" },
        { "SELECT arrayMap(x -> (x + 1), [1, 2])", "[2,3]" },
        { "SELECT tuple(1, 'a').1, 1.5, 1e3, 0x1F, -1", "1\t1.5\t1000\t31\t-1" },
        { "SELECT 1 SETTINGS max_threads = 1", "1" },
        { "SELECT 1 AS `into` FORMAT JSONEachRow", "{\"into\":1}" },
        { "SELECT 'Ärger', '‘'", "Ärger\t‘" },
        { "EXISTS TABLE totals", "1" },
        { "SELECT name FROM system.tables WHERE database = 'sketch' AND name = 'totals'", "totals" },
        { "SELECT table_name FROM information_schema.tables WHERE table_schema = 'sketch' AND table_name = 'totals'", "totals" },
        { "SELECT currentDatabase(), currentUser()", "sketch\tdefault" },
    };

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task Attack_is_refused_by_the_reader_face(string attack)
    {
        string outside = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await Assert.ThrowsAsync<InvalidOperationException>(() => _sql.AskAsync(attack.Replace("{outside}", outside, StringComparison.Ordinal)));
        Assert.False(Path.Exists(outside));
        Assert.Equal("1", await _sql.AskAsync("EXISTS TABLE total_rows"));
    }

    [Theory]
    [MemberData(nameof(Questions))]
    public async Task Question_is_answered(string question, string answer) => Assert.Equal(answer, await _sql.AskAsync(question));

    [Theory]
    [InlineData("readonly=0")]
    [InlineData("format_schema=/etc/passwd")]
    [InlineData("database=system")]
    [InlineData("user=sketch&password=guess")]
    [InlineData("user=sketch")]
    [InlineData("user=other")]
    [InlineData("password=x")]
    public async Task Parameters_of_the_request_loosen_nothing(string query) =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => _sql.AskAsync("SELECT 1", query));

    [Fact]
    public async Task Limits_can_be_lowered_and_not_raised()
    {
        Assert.Equal("", await _sql.AskAsync("SELECT number FROM numbers(10) FORMAT Null"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _sql.AskAsync("SELECT number FROM numbers(10) FORMAT Null", "max_result_rows=5"));
        foreach (string raised in new[] { "max_result_rows=0", "max_result_rows=1e18", "max_result_rows=-1", "max_result_rows=x" })
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => _sql.AskAsync("SELECT number FROM numbers(10000001) FORMAT Null", raised));
        }
    }

    [Fact]
    public async Task Every_function_of_the_engine_is_either_allowed_or_refused()
    {
        string[] functions = (await _writer.AskAsync("SELECT name FROM system.functions")).Split('\n');
        Assert.DoesNotContain(functions, f => !SqlVocabulary.Functions.Contains(f) && !SqlVocabulary.RefusedFunctions.Contains(f));
        Assert.DoesNotContain(SqlVocabulary.Functions, SqlVocabulary.RefusedFunctions.Contains);
        Assert.Subset(functions.ToHashSet(StringComparer.OrdinalIgnoreCase), SqlVocabulary.RefusedFunctions.ToHashSet(StringComparer.OrdinalIgnoreCase));
        string[] tables = (await _writer.AskAsync("SELECT name FROM system.table_functions")).Split('\n');
        Assert.DoesNotContain(tables, t => SqlVocabulary.Functions.Contains(t) && !System.Text.RegularExpressions.Regex.IsMatch(t, TableFunctions));
    }

    public void Dispose()
    {
        _sql.Dispose();
        _writer.Dispose();
    }
}
