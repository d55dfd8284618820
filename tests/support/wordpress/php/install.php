<?php
// Installs the site at the address in argv[1] and prints the owner's application password.
define('WP_INSTALLING', true);
function wp_mail() { return true; } // there is no mail here
require __DIR__ . '/www/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
define('WP_SITEURL', $argv[1]);
$owner = wp_install('The shop', 'owner', 'owner@shop.test', true, '', 'not used')['user_id'];
wp_delete_post(1, true); // "Hello world!"
wp_delete_post(2, true);
$wp_rewrite->set_permalink_structure('/%postname%/');
$wp_rewrite->flush_rules();
wp_upload_dir(); // makes this month's folder: of two workers that make it at once, one answers 500
echo WP_Application_Passwords::create_new_application_password($owner, ['name' => 'Heddle'])[0];
