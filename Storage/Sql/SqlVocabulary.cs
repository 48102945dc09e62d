using System.Collections.Frozen;

namespace Sketch.Storage.Sql;

/// <summary>The words that <see cref="SqlGate"/> knows. All comparisons ignore case, which can only refuse more.</summary>
internal static class SqlVocabulary
{
    /// <summary>How a reader's statement may begin.</summary>
    public static readonly FrozenSet<string> Openers = Set("SELECT WITH FROM SHOW DESCRIBE DESC EXPLAIN EXISTS");

    /// <summary>What SHOW may show.</summary>
    public static readonly FrozenSet<string> Showable =
        Set("TABLES DATABASES COLUMNS FIELDS CREATE FULL EXTENDED INDEX INDEXES INDICES KEYS FUNCTIONS");

    /// <summary>Words that lead out of the database, wherever they stand. Quoted they are plain names.</summary>
    public static readonly FrozenSet<string> RefusedWords =
        Set("INTO OUTFILE INFILE INSERT KILL PARALLEL BACKUP RESTORE ATTACH DETACH GRANT REVOKE TRUNCATE PROCESSLIST");

    /// <summary>Words that make of an EXPLAIN one of something else than a question.</summary>
    public static readonly FrozenSet<string> NotExplained = Set("DROP CREATE ALTER RENAME EXCHANGE UNDROP DELETE UPDATE SYSTEM SET USE TRANSACTION");

    /// <summary>Databases that hold more than counters, or that turn file names into tables.</summary>
    public static readonly FrozenSet<string> RefusedDatabases = Set("system default _temporary_and_external_tables _local");

    /// <summary>Tables of the system database that clients ask for to show what there is.</summary>
    public static readonly FrozenSet<string> SystemTables = Set(
        "one numbers numbers_mt zeros databases tables columns functions table_functions formats data_type_families time_zones keywords "
        + "table_engines aggregate_function_combinators data_skipping_indices");

    /// <summary>Keywords that may stand before a bracket without being a function's name.</summary>
    public static readonly FrozenSet<string> KeywordsBeforeBracket = Set(
        "SELECT FROM JOIN WHERE PREWHERE HAVING QUALIFY AND OR NOT XOR IN ON USING AS BY WITH WHEN THEN ELSE CASE END LIMIT OFFSET FETCH UNION ALL "
        + "DISTINCT EXCEPT INTERSECT EXISTS INTERVAL BETWEEN LIKE ILIKE REGEXP OVER SETS ROLLUP CUBE FILTER COLUMNS APPLY TIES ASC DESC SAMPLE "
        + "EXPLAIN DESCRIBE TABLE GLOBAL SEMI ANTI ASOF OUTER INNER CROSS IS NULL WINDOW PARTITION FILL TO STEP STALENESS DIV MOD AST SYNTAX PLAN "
        + "PIPELINE ESTIMATE QUERY TREE ORDER GROUP RECURSIVE MATERIALIZED ESCAPE ROWS RANGE PRECEDING FOLLOWING");

    /// <summary>Types, which have brackets like functions; none that reads an aggregate state from a text.</summary>
    public static readonly FrozenSet<string> Types = Set(
        "Nullable Array LowCardinality Decimal Decimal32 Decimal64 Decimal128 Decimal256 DateTime DateTime32 DateTime64 Time64 FixedString Tuple "
        + "Map Enum Enum8 Enum16 Nested Variant Dynamic VARCHAR CHAR NUMERIC DEC");

    /// <summary>What may follow an aggregate function's name.</summary>
    public static readonly string[] Combinators =
    [
        "If", "Array", "Map", "SimpleState", "State", "MergeState", "Merge", "ForEach", "Distinct", "OrDefault", "OrNull", "Resample", "ArgMin",
        "ArgMax",
    ];

    /// <summary>Settings that readers may set: they shape the answer and cannot reach files or loosen limits.</summary>
    public static readonly FrozenSet<string> Settings = Set(
        "extremes join_use_nulls max_threads max_block_size session_timezone prefer_column_name_to_alias group_by_use_nulls union_default_mode "
        + "date_time_output_format date_time_input_format any_join_distinct_right_table_keys aggregate_functions_null_for_empty "
        + "transform_null_in cast_keep_nullable final limit offset join_algorithm optimize_read_in_order enable_analyzer "
        + "format_csv_delimiter format_csv_null_representation format_tsv_null_representation bool_true_representation "
        + "bool_false_representation cancel_http_readonly_queries_on_client_close input_format_binary_read_json_as_string");

    /// <summary>Settings by how they begin; none of these families names a file.</summary>
    public static readonly string[] SettingFamilies =
    [
        "output_format_json_", "output_format_csv_", "output_format_tsv_", "output_format_pretty_", "output_format_parquet_",
        "output_format_arrow_", "output_format_native_", "output_format_binary_", "output_format_decimal_", "output_format_markdown_",
        "output_format_xml_", "output_format_trim_", "output_format_write_", "output_format_float_",
    ];

    /// <summary>Limits that readers may lower, by parameters of the request only: a SETTINGS clause could raise them.</summary>
    public static readonly FrozenSet<string> LimitSettings = Set(
        "max_execution_time max_result_rows max_result_bytes max_rows_to_read max_bytes_to_read max_memory_usage");

    /// <summary>Functions, aggregate functions and harmless table functions of the pinned engine.</summary>
    public static readonly FrozenSet<string> Functions = ReadFunctions(line => line[0] != '-' ? line : null);

    /// <summary>Views of database sketch that take parameters.</summary>
    public static readonly FrozenSet<string> ParameterizedViews = Set(string.Join(' ', Store.StoreViews.Parameterized));

    /// <summary>Functions of the pinned engine that readers may not name, with brackets or without.</summary>
    public static readonly FrozenSet<string> RefusedFunctions = ReadFunctions(line => line[0] == '-' ? line[1..] : null);

    private static FrozenSet<string> Set(string words) => words.Split(' ').ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static FrozenSet<string> ReadFunctions(Func<string, string?> choose)
    {
        using Stream stream = typeof(SqlVocabulary).Assembly.GetManifestResourceStream("Sketch.Storage.Sql.functions.txt")!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#').Select(choose).OfType<string>().ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }
}
